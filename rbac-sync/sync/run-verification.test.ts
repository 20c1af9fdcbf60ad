import { describe, expect, it } from 'vitest';
import type { KubernetesClient } from '../cluster/kubernetes-client.ts';
import { KubernetesError } from '../cluster/kubernetes-error.ts';
import { runVerification, VerificationError } from './run-verification.ts';
import type { Probe } from './verify.ts';

const probe = (group: string): Probe => ({
  group,
  namespace: 'shop',
  access: { verb: 'get', group: '', resource: 'pods' },
  allowed: true,
});

/** Asks for two probes; the first of them is answered so, the second always yes. */
const ask = (first: () => Promise<unknown>): Promise<string[]> => {
  const request = (_path: string, options: { body?: unknown } = {}) =>
    JSON.stringify(options.body).includes('hexabase:a')
      ? first()
      : Promise.resolve({ status: { allowed: true } });
  const client = { request } as unknown as KubernetesClient;
  const context = { client, unsettled: new Set<string>(), ours: new Set<string>() };
  return runVerification(context, [probe('hexabase:a'), probe('hexabase:b')]);
};

describe('runVerification', () => {
  it('ends when every probe is proven', async () => {
    expect(await ask(async () => ({ status: { allowed: true } }))).toEqual([]);
  });

  it('says that nothing is proven where it may not ask', async () => {
    const refused = new KubernetesError('POST /x', 403, { message: 'forbidden' });
    await expect(ask(() => Promise.reject(refused))).rejects.toThrow(VerificationError);
  });

  it('says nothing of the cluster when it could not ask', async () => {
    const lost = Object.assign(new Error('connect 10.0.0.1:6443'), { code: 'ECONNREFUSED' });
    await expect(ask(() => Promise.reject(lost))).rejects.toBe(lost);
  });
});
