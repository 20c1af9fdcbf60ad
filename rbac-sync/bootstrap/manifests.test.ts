import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BOOTSTRAP_VERSION, readManifests, toManifestPath } from './manifests.ts';
import { POLICIES } from './policy-probes.ts';

/** The content that belongs to each version. Never change a released line: add one. */
const CONTENT: Record<number, string> = {
  1: '48c9846518c24741',
  2: '25f39a88b1625ad5',
  3: 'a4ca7a74f34db437',
};

describe('the manifests', () => {
  it('have a new version when they change, so that older clusters get them', () => {
    const hash = createHash('sha256').update(JSON.stringify(readManifests())).digest('hex');
    expect(CONTENT[BOOTSTRAP_VERSION]).toBe(hash.slice(0, 16));
  });

  it('bind each policy, to deny, and probe each', () => {
    const manifests = readManifests();
    const named = (kind: string) =>
      manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
    expect(named('ValidatingAdmissionPolicy').toSorted()).toEqual(POLICIES.toSorted());
    expect(named('ValidatingAdmissionPolicyBinding').toSorted()).toEqual(POLICIES.toSorted());
    for (const { kind, spec } of manifests) {
      if (kind !== 'ValidatingAdmissionPolicyBinding') continue;
      expect(spec).toMatchObject({ validationActions: ['Deny', 'Audit'] });
    }
  });

  it('have the paths of the API', () => {
    expect(readManifests().map(toManifestPath)).toEqual(
      expect.arrayContaining([
        '/api/v1/namespaces/hexabase-system/serviceaccounts/rbac-sync',
        '/apis/rbac.authorization.k8s.io/v1/clusterroles/hexabase%3Async',
        '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/hexabase-sync-limits',
      ]),
    );
  });
});
