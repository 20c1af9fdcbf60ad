import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import { type SortedPageRequest, toOrder } from '../cursor.ts';
import { ServiceAccountRow } from './schema.ts';

const Nothing = z.strictObject({});

const accountColumns = sql.fragment`
  id, name, display_name, created_by, version, created_at, updated_at`;

/** The service accounts of a workspace, in the order asked for. */
export const listServiceAccounts = (
  db: CommonQueryMethods,
  { workspaceId, name }: { readonly workspaceId: string; readonly name: string | null },
  page: SortedPageRequest,
): Promise<readonly ServiceAccountRow[]> => {
  const { isAfter, orderBy } = toOrder(page, { id: sql.fragment`id`, name: sql.fragment`name` });
  return db.any(sql.type(ServiceAccountRow)`
    SELECT ${accountColumns}
    FROM service_account
    WHERE workspace_id = ${workspaceId}
      AND ${ifGiven(name, (wanted) => sql.fragment`name = ${wanted}::text`)}
      AND ${isAfter}
    ORDER BY ${orderBy}
    LIMIT ${page.take}
  `);
};

/** A service account of this workspace. */
export const findServiceAccount = (
  db: CommonQueryMethods,
  workspaceId: string,
  serviceAccountId: string,
): Promise<ServiceAccountRow | null> =>
  db.maybeOne(sql.type(ServiceAccountRow)`
    SELECT ${accountColumns}
    FROM service_account
    WHERE workspace_id = ${workspaceId} AND id = ${serviceAccountId}
  `);

/** A service account to insert. */
export type NewServiceAccount = {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly displayName: string;
  readonly createdBy: string;
};

/** A new service account; its constraint on names speaks when the workspace has one of this name. */
export const insertServiceAccount = (
  db: CommonQueryMethods,
  account: NewServiceAccount,
): Promise<ServiceAccountRow> =>
  db.one(sql.type(ServiceAccountRow)`
    INSERT INTO service_account (id, workspace_id, name, display_name, created_by)
    VALUES (
      ${account.id}, ${account.workspaceId}, ${account.name}, ${account.displayName},
      ${account.createdBy}
    )
    RETURNING ${accountColumns}
  `);

/** Gives a service account another display name. */
export const updateServiceAccount = (
  db: CommonQueryMethods,
  workspaceId: string,
  { id, displayName }: Pick<NewServiceAccount, 'id' | 'displayName'>,
): Promise<ServiceAccountRow> =>
  db.one(sql.type(ServiceAccountRow)`
    UPDATE service_account
    SET display_name = ${displayName}, version = version + 1, updated_at = now()
    WHERE workspace_id = ${workspaceId} AND id = ${id}
    RETURNING ${accountColumns}
  `);

/** Deletes a service account with its memberships. */
export const deleteServiceAccount = async (
  db: CommonQueryMethods,
  workspaceId: string,
  serviceAccountId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM service_account
    WHERE workspace_id = ${workspaceId} AND id = ${serviceAccountId}
  `);
};
