/** Workload identity: whose tokens of other issuers are a service account's. */
import { findConditionFaults } from '#domain/claim-conditions.ts';
import { createId, formatId } from '#domain/identifiers.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { bodyProblem, notFound, PROBLEMS, Problem, toPointer } from '../problems.ts';
import { assertRoom } from '../service-accounts/credentials.ts';
import {
  countFederatedCredentials,
  deleteFederatedCredential,
  insertFederatedCredential,
} from './queries.ts';
import type { CreateFederatedCredential, FederatedCredentialRow } from './schema.ts';

/**
 * Trusts an issuer's tokens of these claims.
 *
 * @throws Problem not-found, unprocessable when the service account has too many, or the conditions single
 * nobody out
 */
export const createFederatedCredential = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { accountId, ...input }: CreateFederatedCredential & { readonly accountId: string },
): Promise<FederatedCredentialRow> => {
  const machine = { workspaceId: access.workspaceId, accountId };
  await assertRoom(context, machine, countFederatedCredentials(machine));
  assertForeign(context, input.issuer);
  assertConditions(input);
  const { audience = context.issuer.url } = input;
  assertOurs(context, accountId, audience);
  const credential = {
    ...{ ...machine, ...input, audience, id: createId() },
    createdBy: context.personId,
  };
  const row = await insertFederatedCredential(context.tx, credential);
  const { issuer, claims, single_use } = row;
  await recordChange(context, {
    ...access,
    action: 'federated-credential.create',
    targetId: accountId,
    after: { federated_credential_id: row.id, issuer, audience, claims, single_use },
  });
  return row;
};

/** A token of ours is for whom it names: nobody becomes a machine of another workspace by it. */
const assertForeign = ({ issuer }: RequestContext, url: string): void => {
  if (new URL(url).href !== new URL(issuer.url).href) return;
  throw bodyProblem(
    PROBLEMS.unprocessable,
    ['issuer'],
    'This platform’s own tokens can’t be exchanged for a service account’s. Name the issuer of the workload.',
  );
};

const assertConditions = ({ issuer, claims }: CreateFederatedCredential): void => {
  const faults = findConditionFaults(issuer, claims);
  const [first] = faults;
  if (!first) return;
  const errors = faults.map(({ claim, detail }) => ({
    pointer: toPointer(claim === null ? ['claims'] : ['claims', claim]),
    detail,
  }));
  throw new Problem(PROBLEMS.unprocessable, first.detail, { errors });
};

/** What is for somebody else could be taken from there and brought here. */
const assertOurs = ({ issuer }: RequestContext, accountId: string, audience: string): void => {
  const ours = [issuer.url, formatId('serviceAccount', accountId)];
  if (ours.includes(audience)) return;
  throw bodyProblem(
    PROBLEMS.unprocessable,
    ['audience'],
    `Tokens for somebody else are not ours to take: have the workload ask for the audience ${ours.join(' or ')}.`,
  );
};

/**
 * Trusts these tokens no more, from the next request on.
 *
 * @throws Problem not-found
 */
export const removeFederatedCredential = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { accountId, credentialId }: { readonly accountId: string; readonly credentialId: string },
): Promise<void> => {
  const machine = { workspaceId: access.workspaceId, accountId };
  const deleted = await deleteFederatedCredential(context.tx, machine, credentialId);
  if (!deleted) throw notFound();
  await recordChange(context, {
    ...access,
    action: 'federated-credential.delete',
    targetId: accountId,
    before: { federated_credential_id: credentialId, issuer: deleted.issuer },
  });
};
