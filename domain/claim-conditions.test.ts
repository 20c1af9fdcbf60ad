import { describe, expect, it } from 'vitest';
import { findConditionFaults, matchesConditions, matchesPattern } from './claim-conditions.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';
const CLUSTER = 'https://oidc.cluster.example';

describe('a pattern', () => {
  it.each([
    ['repo:acme/web:ref:refs/heads/main', 'repo:acme/web:ref:refs/heads/main'],
    ['repo:acme/web:*', 'repo:acme/web:ref:refs/heads/main'],
    ['repo:acme/web:*', 'repo:acme/web:pull_request'],
    ['repo:acme/*', 'repo:acme/web:environment:production'],
    ['repo:acme/*:environment:production', 'repo:acme/web:environment:production'],
    ['system:serviceaccount:ci:*', 'system:serviceaccount:ci:runner'],
  ])('%s matches %s', (pattern, value) => {
    expect(matchesPattern(pattern, value)).toBe(true);
  });

  it.each([
    ['repo:acme/web:*', 'repo:acme/web-evil:ref:refs/heads/main'],
    ['repo:acme/web:*', 'repo:acme/web'],
    ['repo:acme/web:*', 'repo:acme/web:'],
    ['repo:acme/web:*', 'repo:acme/web/x:ref'],
    ['repo:acme/web:*', 'repo:Acme/web:ref:refs/heads/main'],
    ['repo:acme/web:*', 'xrepo:acme/web:ref'],
    ['repo:acme/web:*', 'repo/acme:web:ref'],
    ['repo:acme/*', 'repo:acme-evil/web:ref'],
    ['repo:acme/*:environment:production', 'repo:acme/web:x:environment:production'],
    ['repo:acme/*:environment:production', 'repo:acme/web:environment:production:x'],
    ['repo:acme/*:environment:production', 'repo:acme/:environment:production'],
    ['repo:acme/web', 'repo:acme/web\n'],
    ['repo:acme/w.b', 'repo:acme/web'],
    ['repo:acme/(w|x)eb', 'repo:acme/web'],
    ['system:serviceaccount:ci:*', 'system:serviceaccount:ci-evil:runner'],
    ['', 'x'],
  ])('%s does not match %s', (pattern, value) => {
    expect(matchesPattern(pattern, value)).toBe(false);
  });
});

describe('conditions', () => {
  it('hold when every one of them does', () => {
    const conditions = { sub: 'repo:acme/web:*', ref: 'refs/heads/main' };
    const sub = 'repo:acme/web:ref:refs/heads/main';
    expect(matchesConditions(conditions, { sub, ref: 'refs/heads/main' })).toBe(true);
    expect(matchesConditions(conditions, { sub, ref: 'refs/heads/other' })).toBe(false);
    expect(matchesConditions(conditions, { sub })).toBe(false);
  });

  it.each([
    ['a list', { sub: ['a'] }],
    ['an object', { sub: { toString: 'a' } }],
    ['nothing', { sub: null }],
    ['what every object has', {}],
  ])('never hold on %s', (_name, claims) => {
    expect(matchesConditions({ sub: 'a' }, claims)).toBe(false);
    expect(matchesConditions({ toString: 'a' }, claims)).toBe(false);
  });

  it('never hold when there are none', () => {
    expect(matchesConditions({}, { sub: 'a' })).toBe(false);
  });

  it('hold on numbers and booleans by how they are written', () => {
    expect(matchesConditions({ id: '7', fork: 'false' }, { id: 7, fork: false })).toBe(true);
  });
});

describe('conditions that single somebody out', () => {
  it.each([
    [GITHUB, { sub: 'repo:acme/web:*' }],
    [GITHUB, { sub: 'repo:acme/*' }],
    [GITHUB, { repository_id: '123', ref: 'refs/heads/*' }],
    [GITHUB, { repository_owner_id: '123' }],
    [CLUSTER, { sub: 'system:serviceaccount:ci:*' }],
    [CLUSTER, { sub: 'runner' }],
  ])('of %s are taken: %j', (issuer, conditions) => {
    expect(findConditionFaults(issuer, conditions)).toEqual([]);
  });

  it.each([
    ['everything', GITHUB, { sub: '*' }, 'sub'],
    ['everything in parts', GITHUB, { sub: '*:*' }, 'sub'],
    ['every repository', GITHUB, { sub: 'repo:*' }, 'sub'],
    ['every owner', GITHUB, { sub: 'repo:*/web:*' }, 'sub'],
    ['every id', GITHUB, { repository_id: '*' }, 'repository_id'],
    ['every service account', CLUSTER, { sub: 'system:serviceaccount:*' }, 'sub'],
    ['everybody of a system', CLUSTER, { sub: 'system:*' }, 'sub'],
    ['a piece of a name', GITHUB, { sub: 'repo:acme/web*' }, 'sub'],
    ['a piece in front', GITHUB, { sub: 'repo:acme/*-web:ref' }, 'sub'],
    ['a branch of anybody', GITHUB, { ref: 'refs/heads/main' }, null],
    ['an environment of anybody', GITHUB, { environment: 'production' }, null],
    ['what only GitHub vouches for', CLUSTER, { repository_id: '123' }, null],
    ['nothing', CLUSTER, {}, null],
  ])('are not those on %s', (_name, issuer, conditions, claim) => {
    expect(findConditionFaults(issuer, conditions as Record<string, string>)).toContainEqual(
      expect.objectContaining({ claim }),
    );
  });
});
