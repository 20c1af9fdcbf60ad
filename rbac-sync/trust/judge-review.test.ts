import { describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { toProbeSubject } from '#domain/probe-subject.ts';
import { judgeReview, SelfSubjectReview } from './judge-review.ts';

const audience = formatId('workspace', createId());
const subject = toProbeSubject(audience);
const RIGHT = {
  username: `hexabase:${subject}`,
  uid: subject,
  groups: ['system:authenticated'],
  extra: { 'kaas.hexabase.io/workspace': [audience] },
};
const judge = (change: object) =>
  judgeReview(SelfSubjectReview.parse({ status: { userInfo: { ...RIGHT, ...change } } }), audience);

describe('judgeReview', () => {
  it('finds nothing wrong with what the configuration makes', () => {
    expect(judge({})).toEqual([]);
  });

  it.each([
    ['no prefix', { username: subject }, /username/],
    ['another prefix', { username: `oidc:${subject}` }, /"oidc:probe_/],
    ['somebody else', { username: 'hexabase:usr_x' }, /username/],
    ['no uid', { uid: '' }, /claimMappings\.uid/],
    ['a group that is not in the token', { groups: ['system:masters'] }, /system:masters/],
    ['another workspace', { extra: { 'kaas.hexabase.io/workspace': ['ws_x'] } }, /extra/],
    ['no workspace', { extra: {} }, /extra/],
  ])('says what is wrong with %s', (_name, change, expected) => {
    expect(judge(change)).toEqual([expect.stringMatching(expected)]);
  });

  it('repeats no more than a little of what the cluster says', () => {
    const [fault] = judge({ username: 'x'.repeat(10_000) });
    expect(fault?.length).toBeLessThan(500);
  });
});
