import { describe, expect, it } from 'vitest';
import { readClusterWrites } from './audit-events.ts';

const EVENT = {
  level: 'Metadata',
  auditID: '7bb0c1cf-6a11-4f4c-9a47-b1b1f7b7ac01',
  stage: 'ResponseComplete',
  verb: 'patch',
  user: {
    username: 'hexabase:usr_1',
    groups: ['hexabase:WSAdmins'],
    extra: {
      'kaas.hexabase.io/name': ['Ada Lovelace'],
      'kaas.hexabase.io/email': ['ada@example.com'],
      'kaas.hexabase.io/workspace': ['ws_1'],
    },
  },
  sourceIPs: ['10.1.2.3'],
  userAgent: 'kubectl/v1.35.4',
  objectRef: { resource: 'rolebindings', namespace: 'shop', name: 'x' },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: '2026-01-02T03:04:05.678901Z',
};
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;
const read = (...items: unknown[]) =>
  readClusterWrites({ apiVersion: 'audit.k8s.io/v1', kind: 'EventList', items });

describe('readClusterWrites', () => {
  it('says who wrote what, readable', () => {
    expect(read(EVENT)).toEqual([
      {
        eventId: expect.stringMatching(UUID),
        verb: 'patch',
        resource: 'rolebindings',
        namespace: 'shop',
        name: 'x',
        at: new Date('2026-01-02T03:04:05.678Z'),
        actor: {
          username: 'hexabase:usr_1',
          name: 'Ada Lovelace',
          email: 'ada@example.com',
          impersonated_by: null,
          user_agent: 'kubectl/v1.35.4',
          source_ips: ['10.1.2.3'],
        },
      },
    ]);
  });

  it('knows an event that comes again, and tells apart what was given one audit id', () => {
    const other = { ...EVENT, auditID: 'x' };
    const third = { ...EVENT, stageTimestamp: '2026-01-02T03:04:05.678902Z' };
    const ids = read(EVENT, { ...EVENT }, other, third)?.map(({ eventId }) => eventId);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(3);
  });

  it('halves no character, which PostgreSQL would refuse', () => {
    const [write] = read({ ...EVENT, userAgent: `${'x'.repeat(511)}\u{1F600}` }) ?? [];
    expect(write?.actor.user_agent?.isWellFormed()).toBe(true);
  });

  it('names who acted and who they acted as', () => {
    const user = { username: 'root' };
    const impersonatedUser = { username: 'hexabase:usr_2' };
    expect(read({ ...EVENT, user, impersonatedUser })?.[0]?.actor).toMatchObject({
      username: 'hexabase:usr_2',
      impersonated_by: 'root',
      name: null,
    });
  });

  const aDeletion = { verb: 'delete', requestURI: '/x?dryRun=All' };
  it.each([
    ['of a pair that the API server drops', { requestURI: '/x?dryRun=All;x' }],
    ['of a pair that it can’t decode', { requestURI: '/x?dryRun=%zz' }],
    ['in the name of an object', { requestURI: '/x/rolebindings/a&dryRun=All' }],
    ['of a deletion whose body says nothing of it', { ...aDeletion, requestObject: {} }],
    [
      'of a deletion whose body was cut off',
      { ...aDeletion, annotations: { 'audit.k8s.io/truncated': 'true' } },
    ],
  ])('takes no write for a dry run because %s', (_name, change) => {
    expect(read({ ...EVENT, ...change })).toHaveLength(1);
  });

  it.each([
    ['what was refused', { responseStatus: { code: 403 } }],
    ['what has no answer', { responseStatus: null }],
    ['what is not over', { stage: 'RequestReceived' }],
    ['a dry run', { requestURI: '/api/v1/namespaces/shop?dryRun=All&fieldManager=x' }],
    ['a deletion that is one by its query', aDeletion],
    ['a deletion that is one by its body', { verb: 'delete', requestObject: { dryRun: ['All'] } }],
    ['our own writes', { user: { username: 'system:serviceaccount:hexabase-system:rbac-sync' } }],
    ['what is about no object', { objectRef: undefined }],
    ['what is no event', { verb: null }],
  ])('leaves out %s', (_name, change) => {
    expect(read({ ...EVENT, ...change }, EVENT)).toHaveLength(1);
  });

  it.each([
    ['nothing', undefined],
    ['a single event', EVENT],
    [
      'more than any API server sends',
      { apiVersion: 'audit.k8s.io/v1', kind: 'EventList', items: Array(1001).fill({}) },
    ],
    ['another version', { apiVersion: 'audit.k8s.io/v1beta1', kind: 'EventList', items: [] }],
  ])('knows that %s is no list', (_name, body) => {
    expect(readClusterWrites(body)).toBeUndefined();
  });
});
