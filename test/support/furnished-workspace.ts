/** A workspace with one of everything in it, for tests that walk every route. */
import { exportJWK, generateKeyPair } from 'jose';
import { expect } from 'vitest';
import type { Route } from '../../tenancy-api/route.ts';
import { insertDrift } from './drift-rows.ts';
import type { Caller, TestApi, TestWorkspace } from './tenancy-api.ts';

/**
 * Puts one of everything into a workspace.
 *
 * @param name what everything is called, and told in everything
 * @returns public ids by the names that paths have for them
 */
export const furnish = async (
  { database }: Pick<TestApi, 'database'>,
  admin: Caller,
  { workspace, name }: { readonly workspace: TestWorkspace; readonly name: string },
): Promise<Record<string, string>> => {
  const { id, path } = workspace;
  const must = async (method: string, to: string, body?: unknown) => {
    const answer = await admin.call(method, to, body);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body;
  };
  const group = await must('POST', `${path}/groups`, { name });
  const { project, task } = await must('POST', `${path}/projects`, { name });
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  const roles = `${path}/projects/${project.id}/roles`;
  const { project_role } = await must('POST', roles, { name, rules });
  const grant = { group: group.id, project: project.id, project_role: project_role.id };
  const { role_assignment } = await must('POST', `${path}/role-assignments`, grant);
  const { diff } = await must('POST', `${path}/diffs`);
  const account = await must('POST', `${path}/service-accounts`, { name });
  const machine = await furnishMachine(must, `${path}/service-accounts/${account.id}`);
  return {
    ...machine,
    organization: admin.organization,
    plan: (await must('GET', '/v1/plans')).items[0].id,
    workspace: id,
    group: group.id,
    group_mapping: await mapTeam(database, admin, { to: `${path}/groups/${group.id}`, name }),
    person: admin.person,
    service_account: account.id,
    project: project.id,
    role: project_role.id,
    role_assignment: role_assignment.id,
    task: task.id,
    diff: diff.id,
    drift: await insertDrift(database, workspace.uuid, { name }),
  };
};

type Must = (method: string, to: string, body?: unknown) => Promise<{ readonly id: string }>;

/** Gives a service account one of each of what it can prove itself by. */
const furnishMachine = async (must: Must, path: string): Promise<Record<string, string>> => {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  const secret = await must('POST', `${path}/secrets`, { lifetime_days: 1 });
  const key = await must('POST', `${path}/keys`, { jwk: await exportJWK(publicKey) });
  const trusted = await must('POST', `${path}/federated-credentials`, {
    issuer: 'https://token.actions.githubusercontent.com',
    claims: { sub: 'repo:acme/web:ref:refs/heads/main' },
  });
  return { secret: secret.id, key: key.id, federated_credential: trusted.id };
};

/** Maps an upstream team that the admin is in. */
const mapTeam = async (
  { query }: TestApi['database'],
  admin: Caller,
  { to, name }: { readonly to: string; readonly name: string },
): Promise<string> => {
  await joinUpstreamGroups(query, admin.id, [`acme/${name}`]);
  const body = { connector: 'github', upstream_group: `acme/${name}` };
  const answer = await admin.call('POST', `${to}/group-mappings`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.group_mapping.id;
};

/** Writes down what the issuer does when a provider tells groups; the connector is `github`. */
export const joinUpstreamGroups = async (
  query: TestApi['database']['query'],
  personId: string,
  groups: readonly string[],
): Promise<void> => {
  await query(
    `INSERT INTO identity (connector, subject, person_id) VALUES ('github', $1::uuid::text, $1::uuid)
     ON CONFLICT DO NOTHING`,
    [personId],
  );
  await query(
    `INSERT INTO upstream_account (connector, subject, person_id, groups)
     VALUES ('github', $1::uuid::text, $1::uuid, $2)
     ON CONFLICT (connector, subject) DO UPDATE SET groups = excluded.groups`,
    [personId, groups],
  );
};

/** A route's path with these ids in it. */
export const fillPath = (route: Route, ids: Readonly<Record<string, string>>): string =>
  route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '');
