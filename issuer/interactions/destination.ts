/** What an interaction leads to, as pages name it. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { parseId } from '#domain/identifiers.ts';
import { type Closure, findClosure } from '../people/workspace-closure.ts';
import type { Destination } from '../views/confirm.ts';

const WorkspaceRow = z.strictObject({ name: z.string(), organization: z.string() });

/** The parameters of an authorization request that a destination is read from. */
export type RequestedSignIn = {
  readonly clientId: string;
  readonly clientName: string | undefined;
  /** None in the device flow. */
  readonly redirectUri: string | undefined;
};

/** Names what a client is for. */
export const findDestination = async (
  db: CommonQueryMethods,
  { clientId, clientName, redirectUri }: RequestedSignIn,
): Promise<Destination> => ({
  clientId,
  clientName: clientName ?? clientId,
  redirectUri,
  workspace: await findWorkspace(db, clientId),
});

/** The workspace whose client this is, with its organization's name. */
export const findWorkspace = async (
  db: CommonQueryMethods,
  clientId: string,
): Promise<z.infer<typeof WorkspaceRow> | undefined> => {
  const workspaceId = parseId('workspace', clientId);
  return workspaceId === undefined
    ? undefined
    : ((await selectWorkspace(db, workspaceId)) ?? undefined);
};

const selectWorkspace = (
  db: CommonQueryMethods,
  workspaceId: string,
): Promise<z.infer<typeof WorkspaceRow> | null> =>
  db.maybeOne(sql.type(WorkspaceRow)`
    SELECT w.name, o.name AS organization
    FROM workspace w JOIN organization o ON o.id = w.organization_id
    WHERE w.id = ${workspaceId}::uuid
  `);

/** Whether a person may have tokens for a client: always, but for a workspace's, where only members. */
export const mayUseClient = async (
  db: CommonQueryMethods,
  personId: string,
  clientId: string,
): Promise<boolean> => {
  const workspaceId = parseId('workspace', clientId);
  return workspaceId === undefined || isMember(db, personId, workspaceId);
};

/** Why a client's workspace takes nobody in, if it doesn't. */
export const findClientClosure = async (
  db: CommonQueryMethods,
  clientId: string,
): Promise<Closure | undefined> => {
  const workspaceId = parseId('workspace', clientId);
  return workspaceId === undefined ? undefined : findClosure(db, workspaceId);
};

const isMember = (
  db: CommonQueryMethods,
  personId: string,
  workspaceId: string,
): Promise<boolean> =>
  db.exists(sql.type(z.strictObject({}))`
    SELECT FROM workspace_member
    WHERE workspace_id = ${workspaceId}::uuid AND person_id = ${personId}::uuid
  `);

/**
 * Where the answer goes, as a Content-Security-Policy source: Chromium holds redirects after a form
 * against `form-action`. CSP has no way to write an IPv6 address, so that one becomes a scheme.
 */
export const toFormTarget = (redirectUri: string | undefined): string | undefined => {
  if (redirectUri === undefined) return undefined;
  const { origin, hostname } = new URL(redirectUri);
  return hostname.startsWith('[') ? 'http:' : origin;
};
