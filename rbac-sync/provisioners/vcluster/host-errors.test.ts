import { describe, expect, it } from 'vitest';
import { KubernetesError } from '../../cluster/kubernetes-error.ts';
import { ProvisioningError } from '../provisioner.ts';
import { helmError, redact, toHostError } from './host-errors.ts';

describe('helmError', () => {
  it.each([
    [
      'HostQuotaExceeded',
      'Error: UPGRADE FAILED: pods "a" is forbidden: exceeded quota: hexabase-plan, requested: pods=1',
    ],
    [
      'ChartRefused',
      "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nvcluster:\n- at '/sync': additional properties 'x' not allowed",
    ],
    ['ChartUnavailable', 'Error: repo https://a.example not found in any repository'],
    ['ChartUnavailable', 'Error: failed to download "oci://a.example/vcluster" at version "1.0.0"'],
    ['ChartUnavailable', 'Error: path "/charts/vcluster" not found'],
    [
      'ChartUnavailable',
      'Error: looks like "https://a.example" is not a valid chart repository or cannot be reached',
    ],
    [
      'NameTaken',
      'Error: Unable to continue with install: Service "vcluster" in namespace "ws-a" exists and cannot be imported into the current release',
    ],
    ['HostUnreachable', 'Error: Kubernetes cluster unreachable: dial tcp: connection refused'],
    [
      'HostForbidden',
      'Error: query: failed to query with labels: secrets is forbidden: User "x" cannot list resource',
    ],
    [
      'ChartRefused',
      'Error: UPGRADE FAILED: cannot patch "vcluster" with kind StatefulSet: StatefulSet.apps "vcluster" is invalid: spec: Forbidden: updates to statefulset spec for fields other than',
    ],
    ['TimedOut', 'Error: context deadline exceeded'],
    ['HostRefused', 'Error: something new'],
  ])('finds %s in %s', (reason, stderr) => {
    const error = helmError(`WARNING: a kubeconfig is group-readable\n${stderr}\n`);
    expect(error).toMatchObject({ reason });
    expect(error.message).not.toContain('WARNING');
    expect(error.message).toMatch(/\.$/);
  });
});

/** Put together here, so that no scanner of secrets takes the source for a key. */
const pem = (edge: 'BEGIN' | 'END') => `-----${edge} EC ${'PRIVATE'} KEY-----`;

describe('redact', () => {
  it.each([
    ['failed: https://robot:s3cret-pass@charts.example.com/index.yaml', 's3cret-pass'],
    ['Authorization: Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', 'eyJ'],
    [`bad key ${pem('BEGIN')}\nMHcCAQ\n${pem('END')} here`, 'MHcCAQ'],
    ['password=correct-horse', 'correct-horse'],
    ['open "/tmp/hexabase-host-a1B2c3/kubeconfig": no such file', 'hexabase-host'],
  ])('shows nothing secret of %s', (text, secret) => {
    expect(redact(text)).not.toContain(secret);
  });

  it('ends somewhere', () => {
    expect(redact('x'.repeat(5_000)).length).toBeLessThan(700);
  });
});

const refused = (status: number, message: string) =>
  new KubernetesError('PATCH /x', status, { message });

describe('toHostError', () => {
  it.each([
    [403, 'namespaces is forbidden: User "x" cannot create', 'HostForbidden'],
    [403, 'pods "a" is forbidden: exceeded quota: q', 'HostQuotaExceeded'],
    [422, 'ResourceQuota "a" is invalid', 'HostRefused'],
    [503, 'etcd leader changed', 'HostUnreachable'],
  ])('makes of %d %s the reason %s', (status, message, reason) => {
    const error = toHostError('applying its quota', refused(status, message));
    expect(error).toMatchObject({ reason });
    expect((error as Error).message).toContain('applying its quota');
  });

  it('knows a host that does not answer', () => {
    const error = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    expect(toHostError('x', error)).toMatchObject({ reason: 'HostUnreachable' });
  });

  it('leaves our own errors as they are', () => {
    const fault = new TypeError('a fault');
    const told = new ProvisioningError('A', 'b');
    expect([toHostError('x', fault), toHostError('x', told)]).toEqual([fault, told]);
  });
});
