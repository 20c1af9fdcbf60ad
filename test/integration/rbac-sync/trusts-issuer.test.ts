/** Whether a cluster trusts the issuer is found out by showing it tokens of the real issuer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import { NOBODYS_AUDIENCE } from '#domain/probe-subject.ts';
import type { ControlPlane } from '../../../rbac-sync/provisioners/provisioner.ts';
import { checkTrust } from '../../../rbac-sync/trust/check-trust.ts';
import type { ProbeTokens } from '../../../rbac-sync/trust/probe-tokens.ts';
import { attack } from '../../support/attacks/attack.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';
import {
  connectTestCluster,
  createTestProvisionerFor,
  ensurePlane,
  startTestController,
  type TestController,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { createProbeKeys, type ProbeKeys, probeTokensOf } from '../../support/probe-client.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let keys: ProbeKeys;
let issuer: TestIssuer;
let planes: Pick<TestProvisioner, 'provisioner' | 'directory'>;
let sync: TestController | undefined;
let workspace: WorkspaceRows;
let issuerIsAway = false;
let changeJwt: ChangeJwt = (jwt) => jwt;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  keys = await createProbeKeys();
  database = stack.use(await createTestDatabase());
  issuer = stack.use(
    await startTestIssuer(database, [{ username: 'alice' }], { probeKey: keys.publicKey }),
  );
  planes = stack.use(
    await createTestProvisionerFor(
      { url: issuer.issuerUrl, certificateAuthority: issuer.ca },
      {
        change: (configuration) => {
          const jwt = changeJwt((configuration['jwt'] as [Jwt])[0]);
          return { ...configuration, jwt: jwt ? [jwt] : [] };
        },
      },
    ),
  );
  workspace = await insertWorkspace(database, async (id) => sync?.controller.enqueue(id));
  sync = await start();
});
afterAll(async () => {
  await sync?.[Symbol.asyncDispose]();
  await stack.disposeAsync();
});

/** A new life of rbac-sync, which knows nothing of what the one before it found. */
const start = () => {
  const near = stack.use(probeTokensOf(issuer, keys));
  const far = stack.use(probeTokensOf({ issuerUrl: 'https://127.0.0.1:9', ca: issuer.ca }, keys));
  const probeTokens: ProbeTokens = {
    request: (audience) => (issuerIsAway ? far : near).request(audience),
    [Symbol.asyncDispose]: async () => {},
  };
  return startTestController(database, planes.provisioner, { probeTokens });
};
const trust = async () =>
  (await workspace.row()).conditions.find(({ type }) => type === 'TrustsIssuer');
const untilTrust = (expected: { status: string; reason: string; message?: RegExp }) =>
  poll(
    `TrustsIssuer ${expected.status} ${expected.reason}`,
    async () => {
      const found = await trust();
      expect(found).toMatchObject({ status: expected.status, reason: expected.reason });
      if (expected.message) expect(found?.message).toMatch(expected.message);
      return true;
    },
    60_000,
  );
type Jwt = {
  issuer: { audiences: string[]; audienceMatchPolicy?: string };
  claimMappings: Record<string, unknown>;
  claimValidationRules: unknown[];
  userValidationRules?: unknown[];
};
type ChangeJwt = (jwt: Jwt) => Jwt | undefined;

/** Has the API server started anew with another configuration. */
const reconfigure = async (next: ChangeJwt): Promise<ControlPlane> => {
  changeJwt = next;
  await planes.provisioner.suspend(workspace.id);
  return ensurePlane(planes.provisioner, workspace.id);
};

describe('a cluster', () => {
  it('is verified when it takes the issuer’s token and reads it as it should', async () => {
    await untilTrust({ status: 'True', reason: 'Verified' });
  });

  it('is not trusted when it has no issuer, and work goes on', async () => {
    await sync?.[Symbol.asyncDispose]();
    await reconfigure(() => undefined);
    sync = await start();
    const message = /refuses the issuer’s tokens \(401\).*authentication-configuration/;
    await untilTrust({ status: 'False', reason: 'NotTrusted', message });
    const task = await workspace.change('project.create', aProject(workspace.id, 'shop'));
    expect(task).toMatchObject({ state: 'succeeded' });
  });

  it('says nothing while the issuer is away, and work goes on', async () => {
    await sync?.[Symbol.asyncDispose]();
    await reconfigure((jwt) => jwt);
    issuerIsAway = true;
    sync = await start();
    await untilTrust({ status: 'Unknown', reason: 'IssuerUnavailable', message: /tried again/ });
    const task = await workspace.change('project.create', aProject(workspace.id, 'meanwhile'));
    expect(task).toMatchObject({ state: 'succeeded' });
  });

  it('is verified by itself soon after the issuer is back', async () => {
    issuerIsAway = false;
    await untilTrust({ status: 'True', reason: 'Verified' });
  });
});

describe('a stolen token of a probe', () => {
  it('opens nothing in the cluster', async () => {
    const audience = formatId('workspace', workspace.id);
    await using tokens = probeTokensOf(issuer, keys);
    await using cluster = await connectTestCluster(
      { provisioner: planes.provisioner },
      workspace.id,
    );
    const thief = cluster.withToken(await tokens.request(audience));
    const name = 'reads';
    for (const target of ['namespaces', 'nodes', 'secrets', 'namespaces/meanwhile/pods']) {
      const attempt = { name, actors: [], path: `/api/v1/${target}` };
      expect(await attack(thief, attempt, false), target).toBe('refused');
    }
    const body = { metadata: { name: 'x' } };
    const write = { name, actors: [], method: 'POST', path: '/api/v1/namespaces', body } as const;
    expect(await attack(thief, write, true)).toBe('refused');
  });
});

describe('a cluster that is configured otherwise', () => {
  beforeAll(async () => {
    await sync?.[Symbol.asyncDispose]();
  });

  const find = async (change: ChangeJwt, expected: RegExp): Promise<void> => {
    const plane = await reconfigure(change);
    await using tokens = probeTokensOf(issuer, keys);
    await poll('the fault to be found', async () => {
      const found = await checkTrust(tokens, plane, workspace.id);
      expect(found).toMatchObject({ status: 'False', reason: 'NotTrusted' });
      expect(found.message).toMatch(expected);
      return true;
    });
  };

  it('refuses when it wants another audience', () =>
    find(
      (jwt) => ({ ...jwt, issuer: { ...jwt.issuer, audiences: ['another'] } }),
      /refuses the issuer’s tokens/,
    ));

  it('calls people something else without the prefix, and takes what groups it likes', () =>
    find(
      (jwt) => ({
        ...jwt,
        claimMappings: {
          ...jwt.claimMappings,
          username: { claim: 'sub', prefix: 'oidc:' },
          groups: { expression: `['hexabase:WSAdmins']` },
        },
        userValidationRules: [],
      }),
      /the token’s subject "oidc:probe_.*claimMappings\.username.*into "hexabase:WSAdmins"/,
    ));

  it('takes tokens for anybody when it names more than its own audience', () =>
    find(
      (jwt) => ({
        ...jwt,
        issuer: {
          ...jwt.issuer,
          audiences: [...jwt.issuer.audiences, NOBODYS_AUDIENCE],
          audienceMatchPolicy: 'MatchAny',
        },
        claimValidationRules: [],
      }),
      /accepts a token for another audience/,
    ));
});
