import { applyPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import type { Schemas } from '../client/client.ts';
import { renderDiff, renderNotes } from './render-diff.ts';

type ObjectDiff = Schemas['ObjectDiff'];

const quota = (pods: string, labels = {}) => ({
  spec: { hard: { services: '5', pods } },
  metadata: { namespace: 'shop', name: 'hexabase-plan', labels },
  kind: 'ResourceQuota',
  apiVersion: 'v1',
});
const update: ObjectDiff = {
  action: 'update',
  kind: 'ResourceQuota',
  namespace: 'shop',
  name: 'hexabase-plan',
  before: quota('200'),
  after: quota('20'),
  checked: true,
  refusal: null,
};

describe('renderDiff', () => {
  it('is a unified diff of YAML with sorted keys', () => {
    expect(renderDiff({ objects: [update] })).toBe(`# update ResourceQuota shop/hexabase-plan
--- live/ResourceQuota/shop/hexabase-plan
+++ desired/ResourceQuota/shop/hexabase-plan
@@ -6,5 +6,5 @@
   namespace: shop
 spec:
   hard:
-    pods: "200"
+    pods: "20"
     services: "5"
`);
  });

  it('is of nothing for what is made, and to nothing for what goes', () => {
    const created = renderDiff({ objects: [{ ...update, action: 'create', before: null }] });
    expect(created).toContain('--- /dev/null\n+++ desired/ResourceQuota/shop/hexabase-plan\n');
    expect(applyPatch('', created)).toContain('apiVersion: v1\nkind: ResourceQuota\nmetadata:\n');
    const deleted = renderDiff({ objects: [{ ...update, action: 'delete', after: null }] });
    expect(deleted).toContain('+++ /dev/null\n');
    expect(deleted).toContain('-    pods: "200"\n');
  });

  it('says what was refused, and what was not asked', () => {
    const refused = { ...update, checked: false, refusal: '422 not\na quota' };
    expect(
      renderDiff({ objects: [refused] })
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      '# update ResourceQuota shop/hexabase-plan',
      '# refused by the API server: 422 not�a quota',
      '# the API server was not asked',
    ]);
  });

  it('lets no terminal be told anything by a name or a label', () => {
    const evil = '\u001b[2Jx\u009b1m\u202e';
    const object = { ...update, name: evil, after: quota('1', { [evil]: evil }) };
    const text = renderDiff({ objects: [object] }) + renderNotes({ ...EMPTY, notes: [evil] });
    for (const character of ['\u001b', '\u009b', '\u202e']) expect(text).not.toContain(character);
  });

  it('is empty when nothing would change', () => {
    expect(renderDiff({ objects: [] })).toBe('');
  });
});

const EMPTY = { generation: 1, objects: [], omitted: 0, notes: [] };

describe('renderNotes', () => {
  it('has a line for each, and for what is not shown', () => {
    expect(renderNotes({ ...EMPTY, notes: ['One.', 'Two.'], omitted: 3 })).toBe(
      'One.\nTwo.\n3 more objects would change and are not shown.\n',
    );
    expect(renderNotes(EMPTY)).toBe('');
  });
});
