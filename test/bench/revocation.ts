/**
 * What it costs a cluster to ask the issuer before RBAC, warm and cold, beside a cluster that doesn't ask; and
 * how long after a sign-in has ended its token is refused.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Registry } from 'prom-client';
import { migrate } from '#database/migrate.ts';
import { createDatabase } from '#database/pool.ts';
import {
  authenticationConfiguration,
  GRANT_CLAIM,
  type TrustedIssuer,
} from '#domain/authentication-configuration.ts';
import { createId, formatId } from '#domain/identifiers.ts';
import type { HostPlan } from '#domain/plan.ts';
import { createLogger } from '#runtime/log.ts';
import { answerAuthorization } from '../../issuer/revocation/authorization-webhook.ts';
import { startDenials } from '../../issuer/revocation/denials.ts';
import { findControlPlane } from '../../quickstart/control-plane/binaries.ts';
import { startPostgres } from '../../quickstart/embedded-postgres.ts';
import { authorizationWebhook } from '../../rbac-sync/authorization/authorization-webhook.ts';
import {
  createKubernetesClient,
  type KubernetesClient,
} from '../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../rbac-sync/cluster/kubernetes-error.ts';
import { createLocalProvisioner } from '../../rbac-sync/provisioners/local/local-provisioner.ts';
import { startHttpsServer } from '../support/https-server.ts';
import { type SigningIssuer, startSigningIssuer } from '../support/signing-issuer.ts';
import { printTable, race, summarize } from './measure.ts';

const PASSWORD = 'benchmark-only';
const KEY = randomBytes(32);
const ROUNDS = 500;
const SIGN_INS = 200;

/** Runs and prints the tables. */
export const benchRevocation = async (): Promise<void> => {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startPostgres());
  await migrate(server.ownerUrl('postgres'), { hexabase_issuer: PASSWORD });
  const connectionString = server.roleUrl('hexabase_issuer', PASSWORD, 'postgres');
  const database = cleanup.adopt(await createDatabase({ connectionString }), (pool) => pool.end());
  const owner = cleanup.adopt(new pg.Pool({ connectionString: server.ownerUrl('postgres') }), (p) =>
    p.end(),
  );
  const [log, metrics] = [createLogger('bench', 'error'), new Registry()];
  const denials = cleanup.use(startDenials({ database, log, metrics }));
  const webhook = cleanup.use(
    await startHttpsServer(
      answerAuthorization({ denials, key: KEY, metrics, log }, (_request, response) =>
        response.writeHead(404).end(),
      ),
    ),
  );
  const issuer = cleanup.use(await startSigningIssuer());
  const asked = { url: webhook.url, certificateAuthority: webhook.ca };
  const asking = await startCluster(cleanup, issuer, asked);
  const alone = await startCluster(cleanup, issuer);
  await measureLatency(asking, alone);
  await measureRefusals(asking, owner);
};

type Cluster = {
  readonly workspace: string;
  /** Somebody with a token of this grant. */
  readonly someone: (grant?: Buffer) => Promise<KubernetesClient>;
};

const startCluster = async (
  cleanup: AsyncDisposableStack,
  issuer: SigningIssuer,
  asked?: TrustedIssuer,
): Promise<Cluster> => {
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-bench-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const id = createId();
  const provisioner = cleanup.use(
    createLocalProvisioner({
      directory,
      binaries: (await findControlPlane()).directory,
      unsafeNoFsync: true,
      configurationFor: () => ({
        authentication: authenticationConfiguration(id, issuer),
        authorization: asked && authorizationWebhook(id, { issuer: asked, key: KEY }),
      }),
    }),
  );
  const plan: HostPlan = {
    workspaceQuota: {},
    isolation: 'shared',
    nodeSelector: {},
    tolerations: [],
  };
  const { server, certificateAuthority } = await provisioner.ensure(
    { workspaceId: id, plan },
    { onProgress: async () => {} },
  );
  const workspace = formatId('workspace', id);
  return {
    workspace,
    someone: async (grant = randomBytes(32)) => {
      const subject = formatId('person', createId());
      const other = { [GRANT_CLAIM]: grant.toString('base64url') };
      const claims = { audience: workspace, subject, groups: [], lifetimeSeconds: 900, other };
      const token = await issuer.sign(claims);
      const credential = { token: () => token };
      return cleanup.use(createKubernetesClient({ server, certificateAuthority, credential }));
    },
  };
};

/** Whoever has any token may ask for the version; a path that is nowhere is refused, to be asked about anew. */
const statusOf = (client: KubernetesClient, path: string): Promise<number> =>
  client.request(path).then(
    () => 200,
    (error: unknown) => {
      if (error instanceof KubernetesError) return error.status;
      throw error;
    },
  );

const measureLatency = async (asking: Cluster, alone: Cluster): Promise<void> => {
  const [one, other] = [await asking.someone(), await alone.someone()];
  let turn = 0;
  const cold = () => {
    turn += 1;
    return `/api/no-such-${turn}`;
  };
  const results = await race(
    {
      'asks, cold': () => statusOf(one, cold()),
      'RBAC alone, cold': () => statusOf(other, cold()),
      'asks, warm': () => statusOf(one, '/version'),
      'RBAC alone, warm': () => statusOf(other, '/version'),
    },
    { rounds: ROUNDS, warmup: 20 },
  );
  printTable(
    'A request to the API server, ms (cold: nothing asked before; warm: the same again and again)',
    Object.entries(results).map(([name, { p50, p99 }]) => ({
      request: name,
      p50: p50.toFixed(2),
      p99: p99.toFixed(2),
    })),
  );
};

const measureRefusals = async (cluster: Cluster, owner: pg.Pool): Promise<void> => {
  const person = createId();
  await owner.query('INSERT INTO person (id, display_name) VALUES ($1, $2)', [person, 'Someone']);
  const samples = await Promise.all(
    Array.from({ length: SIGN_INS }, async (_, index) => {
      const grant = randomBytes(32);
      await owner.query(
        `INSERT INTO oidc_grant (id_hash, account_id, client_id, sealed_payload, expires_at)
         VALUES ($1, $2, $3, '', now() + interval '1 hour')`,
        [grant, person, cluster.workspace],
      );
      const client = await cluster.someone(grant);
      const end = performance.now() + 500 + (index * 10_000) / SIGN_INS;
      while (performance.now() < end) await use(client);
      const began = performance.now();
      await owner.query('DELETE FROM oidc_grant WHERE id_hash = $1', [grant]);
      while ((await use(client)) === 200);
      return performance.now() - began;
    }),
  );
  const { p50, p99 } = summarize(samples);
  printTable(`From the end of a sign-in to the first refusal, ms, ${SIGN_INS} sign-ins in use`, [
    { p50: p50.toFixed(0), p99: p99.toFixed(0), worst: Math.max(...samples).toFixed(0) },
  ]);
};

/** In use all the while, so that the cluster has an answer in its cache when the sign-in ends. */
const use = async (client: KubernetesClient): Promise<number> => {
  await delay(100);
  return statusOf(client, '/version');
};
