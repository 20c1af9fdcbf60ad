/** Organizations that the API's tests need more of than anyone may make. */
import { createId, formatId } from '#domain/identifiers.ts';
import type { OrganizationRole } from '#domain/permissions.ts';
import type { Caller, TestApi } from './tenancy-api.ts';

/** An organization that is nobody's private one. */
export type TestOrganization = {
  readonly id: string;
  readonly uuid: string;
  readonly path: string;
  readonly slug: string;
};

/** A slug that no other test has. */
export const uniqueSlug = (): string => `org-${createId().slice(-12)}`;

/** Makes an organization with these users. */
export const createOrganization = async (
  { database }: TestApi,
  users: readonly (readonly [Caller, OrganizationRole])[],
): Promise<TestOrganization> => {
  const [uuid, slug] = [createId(), uniqueSlug()];
  await database.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $3)', [
    uuid,
    slug,
    'Acme',
  ]);
  for (const [caller, role] of users) {
    await database.query(
      'INSERT INTO organization_user (organization_id, person_id, role) VALUES ($1, $2, $3)',
      [uuid, caller.id, role],
    );
  }
  const id = formatId('organization', uuid);
  return { id, uuid, slug, path: `/v1/organizations/${id}` };
};

/** What has been recorded of an organization, in its order. */
export const eventsOf = (
  { database }: TestApi,
  { uuid }: Pick<TestOrganization, 'uuid'>,
): Promise<readonly { action: string }[]> =>
  database.query(
    `SELECT action, actor_id, workspace_id, target_id, before, after FROM audit_event
     WHERE organization_id = $1 ORDER BY id`,
    [uuid],
  );
