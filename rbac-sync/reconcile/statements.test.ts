import { describe, expect, it } from 'vitest';
import { ProvisioningError } from '../provisioners/provisioner.ts';
import { ApplyError } from '../sync/apply-error.ts';
import { VerificationError } from '../sync/run-verification.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';
import { notDrifted, stopped, toFault } from './statements.ts';

describe('notDrifted', () => {
  const now = new Date('2026-01-01T00:01:00Z');
  const last = (status: 'True' | 'False' | 'Unknown', lastTransitionTime: string) => [
    { type: 'Drifted', status, reason: 'Repaired', message: 'x', lastTransitionTime } as const,
  ];

  it.each([
    ['a drift of just now stays to be read', last('True', '2026-01-01T00:00:01Z'), []],
    ['one of a minute ago is over', last('True', '2026-01-01T00:00:00Z'), ['False']],
    ['nothing was said yet', [], ['False']],
    ['it could not be known', last('Unknown', '2026-01-01T00:00:59Z'), ['False']],
  ])('%s', (_name, conditions, statuses) => {
    expect(notDrifted(conditions, now).map(({ status }) => status)).toEqual(statuses);
  });
});

describe('stopped', () => {
  const workspace = (life: 'suspended' | 'deleting') =>
    ({ life, deleteAfter: life === 'deleting' ? new Date(0) : null }) as Workspace;

  it('says of every condition that it can’t be so or isn’t known', () => {
    expect(stopped(workspace('suspended')).map(({ type, status }) => [type, status])).toEqual([
      ['Provisioned', 'False'],
      ['TrustsIssuer', 'Unknown'],
      ['Synced', 'Unknown'],
      ['Drifted', 'Unknown'],
    ]);
  });

  it('never says of an attached cluster that it is stopped', () => {
    const cluster = { provisioner: 'attached' } as Workspace['cluster'];
    for (const { message } of stopped({ ...workspace('suspended'), cluster })) {
      expect(message).not.toContain('stopped');
    }
  });

  it('says when a deletion is carried out', () => {
    expect(stopped(workspace('deleting'))[0]?.message).toContain('after 1970-01-01T00:00:00.000Z');
    expect(stopped(workspace('suspended'))[0]?.message).not.toContain('goes for good');
  });
});

describe('toFault', () => {
  const provisioned = { type: 'Provisioned', status: 'True', reason: 'x', message: 'x' } as const;

  it.each([
    ['nothing could be stated', [], new Error('/secret/path'), 'Provisioned', 'ProvisioningFailed'],
    [
      'a provisioner said why',
      [],
      new ProvisioningError('HostFull', 'There is no room.'),
      'Provisioned',
      'HostFull',
    ],
    ['a grant isn’t in force', [provisioned], new VerificationError('x'), 'Synced', 'NotInForce'],
    ['we are at fault', [provisioned], new Error('/secret/path'), 'Synced', 'InternalFault'],
    [
      'nobody answers',
      [provisioned],
      Object.assign(new Error('/secret'), { code: 'ECONNREFUSED' }),
      'Synced',
      'Unreachable',
    ],
    [
      'a write did not arrive',
      [provisioned],
      new ApplyError([{ namespace: 'shop', cause: new Error('connect /secret:6443') }]),
      'Synced',
      'ApplyFailed',
    ],
  ] as const)(
    'says what failed when %s, and no path of ours',
    (_name, stated, error, type, reason) => {
      expect(toFault(stated, error)).toMatchObject({ type, reason, status: 'False' });
      expect(toFault(stated, error).message).not.toContain('/secret');
    },
  );
});
