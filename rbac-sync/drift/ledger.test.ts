import type { CommonQueryMethods } from 'slonik';
import { expect, it } from 'vitest';
import type { Decision } from './decide.ts';
import { aFinding } from './drift.fixture.ts';
import { type DriftLook, hasDriftToRecord, recordDrift } from './ledger.ts';
import type { LedgerRow } from './queries.ts';

const finding = aFinding({ origin: 'foreign', change: 'created' });
const decision: Decision = {
  finding,
  action: 'adopted',
  reason: 'It was taken over.',
  withhold: false,
  retryAt: undefined,
  adoption: undefined,
};
const aRow = (action: LedgerRow['action']): LedgerRow => ({
  id: 'x',
  key: finding.key,
  action,
  desiredHash: null,
  resolvedAt: null,
  retryAt: null,
  unexplained: false,
  actor: null,
});
const recorded = new Map<string, string>();
const lookWith = (action: LedgerRow['action']): DriftLook => ({
  decisions: [decision],
  known: [aRow(action)],
  withheld: new Set(),
  lookedAt: new Date(),
  context: { workspace: { id: 'x' }, cluster: { recorded } } as unknown as DriftLook['context'],
});

/** A transaction that takes the first write, and comes to nothing. */
const brokenDatabase = (): CommonQueryMethods => {
  let writes = 0;
  const write = async () => {
    writes += 1;
    if (writes > 1) throw new Error('the connection broke');
    return { rows: [], rowCount: 0 };
  };
  return new Proxy({} as CommonQueryMethods, { get: () => write });
};

it('records again what was written in a transaction that came to nothing', async () => {
  await expect(recordDrift(brokenDatabase(), lookWith('reported'))).rejects.toThrow('broke');
  expect(hasDriftToRecord(lookWith('reported'))).toBe(true);
  expect(hasDriftToRecord(lookWith('adopted'))).toBe(false);
});
