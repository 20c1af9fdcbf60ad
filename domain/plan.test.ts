import { describe, expect, it } from 'vitest';
import { listQuotaExcess, ResourceQuotaHard } from './plan.ts';

describe('ResourceQuotaHard', () => {
  it.each([
    ['requests.cpu', '500m'],
    ['limits.memory', '1.5Gi'],
    ['requests.storage', '10Gi'],
    ['gold.storageclass.storage.k8s.io/requests.storage', '0.5'],
    ['pods', '10'],
    ['pods', '1k'],
    ['count/deployments.apps', '3'],
  ])('takes %s of %s', (resource, quantity) => {
    expect(ResourceQuotaHard.safeParse({ [resource]: quantity }).success).toBe(true);
  });

  it.each([
    ['pods', '500m'],
    ['services', '0.5'],
    ['count/secrets', '1.5'],
    ['pods', '-1'],
    ['pods', 'many'],
    ['../pods', '1'],
  ])('refuses %s of %s', (resource, quantity) => {
    expect(ResourceQuotaHard.safeParse({ [resource]: quantity }).success).toBe(false);
  });
});

describe('listQuotaExcess', () => {
  it('names what is above the plan, or not in it', () => {
    const plan = { pods: '10', 'requests.memory': '4Gi' };
    const quota = { pods: '11', 'requests.memory': '4096Mi', services: '1', constructor: '1' };
    expect(listQuotaExcess(quota, plan)).toEqual(['pods', 'services', 'constructor']);
  });
});
