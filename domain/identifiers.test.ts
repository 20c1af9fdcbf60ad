import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createId, formatId, idPattern, PREFIXES, parseId } from './identifiers.ts';

describe('formatId and parseId', () => {
  it('are inverses for every UUID and kind', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.constantFrom(...keysOf(PREFIXES)), (uuid, kind) => {
        const text = formatId(kind, uuid);
        expect(text).toMatch(idPattern(kind));
        expect(parseId(kind, text)).toBe(uuid);
      }),
    );
  });

  it('agree with the TypeID specification', () => {
    expect(formatId('workspace', '01890a5d-ac96-774b-bcce-b302099a8057')).toBe(
      'ws_01h455vb4pex5vsknk084sn02q',
    );
  });

  it.each([
    ['another kind', 'org_01h455vb4pex5vsknk084sn02q'],
    ['no prefix', '01h455vb4pex5vsknk084sn02q'],
    ['a value above 128 bits', 'ws_81h455vb4pex5vsknk084sn02q'],
    ['a letter outside the alphabet', 'ws_01h455vb4pex5vsknk084sn0lu'],
    ['upper case', 'ws_01H455VB4PEX5VSKNK084SN02Q'],
    ['a path', 'ws_../../etc/passwd'],
    ['nothing', ''],
  ])('refuse %s', (_name, text) => {
    expect(parseId('workspace', text)).toBeUndefined();
  });
});

describe('createId', () => {
  it('makes UUIDs of version 7 in order', () => {
    const ids = Array.from({ length: 100 }, createId);
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });
});

const keysOf = <T extends object>(value: T): (keyof T)[] => Object.keys(value) as (keyof T)[];
