import { describe, expect, it } from 'vitest';
import { isManifest } from './object-origin.ts';

const PROBER = { kind: 'User', name: 'hexabase-policy-prober' };
const binding = (name: string, ...subjects: object[]) => ({
  kind: 'ClusterRoleBinding',
  metadata: { name, uid: 'u', resourceVersion: '1' },
  subjects,
});

describe('isManifest', () => {
  it.each([
    ['ours', binding('hexabase:sync'), true],
    ['the binding of a probe', binding('hexabase:policy-prober', PROBER), true],
    [
      'somebody bound under its name',
      binding('hexabase:policy-prober', PROBER, { kind: 'User', name: 'mallory' }),
      false,
    ],
    [
      'a group under its name',
      binding('hexabase:policy-prober', { kind: 'Group', name: PROBER.name }),
      false,
    ],
    ['another name that begins like ours', binding('hexabase:other', PROBER), false],
  ])('knows %s', (_name, object, expected) => {
    expect(isManifest(object)).toBe(expected);
  });
});
