import { describe, expect, it } from 'vitest';
import { createId, formatId, type IdentifierKind, PREFIXES, parseId } from './identifiers.ts';
import { NOBODYS_AUDIENCE, toProbeSubject } from './probe-subject.ts';

describe('toProbeSubject', () => {
  const audience = formatId('workspace', createId());

  it('has the shape of public identifiers', () => {
    expect(toProbeSubject(audience)).toMatch(/^[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
  });

  it.each(Object.keys(PREFIXES) as IdentifierKind[])('is no %s', (kind) => {
    expect(parseId(kind, toProbeSubject(audience))).toBeUndefined();
  });
});

describe('NOBODYS_AUDIENCE', () => {
  it('looks like a workspace', () => {
    expect(parseId('workspace', NOBODYS_AUDIENCE)).toBe('00000000-0000-0000-0000-000000000000');
  });
});
