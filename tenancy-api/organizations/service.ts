/** How organizations come to be and are renamed. */
import { violates } from '#database/constraint.ts';
import { createId } from '#domain/identifiers.ts';
import { MAX_ORGANIZATIONS_PER_PERSON } from '#domain/plan.ts';
import { toSlug } from '#domain/slug.ts';
import { recordOrganizationChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { assertVersion } from '../etag.ts';
import { insertUser } from '../organization-users/queries.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import {
  countMadeOrganizations,
  findOrganization,
  insertOrganization,
  lockOrganizationsOf,
  renameOrganization,
} from './queries.ts';
import type { CreateOrganization, OrganizationRow, UpdateOrganization } from './schema.ts';

/** @throws Problem not-found when the caller is nothing in it */
export const getOrganization = async (
  { tx, personId }: RequestContext,
  organizationId: string,
): Promise<OrganizationRow> => {
  const organization = await findOrganization(tx, organizationId, personId);
  if (!organization) throw notFound();
  return organization;
};

/** @throws Problem organization-deleting when it takes nothing new any more */
export const refuseDeleting = ({ delete_after }: OrganizationRow): void => {
  if (delete_after === null) return;
  throw new Problem(
    PROBLEMS.organizationDeleting,
    `It goes for good after ${delete_after.toISOString()}. Let an owner restore it first.`,
  );
};

/**
 * Makes an organization with its creator as owner.
 *
 * @throws Problem organization-limit-reached, already-exists for a taken slug
 */
export const createOrganization = async (
  context: RequestContext,
  { name, slug = toSlug(name, 'organization') }: CreateOrganization,
): Promise<OrganizationRow> => {
  const { tx, personId } = context;
  await assertRoomForOrganization(context);
  const id = createId();
  await insertOrganization(tx, { id, slug, name, createdBy: personId }).catch((error: unknown) => {
    throw isSlugTaken(error) ? slugTaken(slug) : error;
  });
  await insertUser(tx, { organizationId: id, personId }, 'owner');
  const after = { slug, name, owner: personId };
  const action = 'organization.create';
  await recordOrganizationChange(context, { action, organizationId: id, targetId: id, after });
  return getOrganization(context, id);
};

const assertRoomForOrganization = async ({ tx, personId }: RequestContext): Promise<void> => {
  await lockOrganizationsOf(tx, personId);
  if ((await countMadeOrganizations(tx)) < MAX_ORGANIZATIONS_PER_PERSON) return;
  throw new Problem(
    PROBLEMS.organizationLimitReached,
    `You have made ${MAX_ORGANIZATIONS_PER_PERSON} organizations besides your private one and can make no more; one that is being deleted counts until it is gone, one that you gave away too.`,
  );
};

const isSlugTaken = (error: unknown): boolean => violates(error, 'organization__slug__unique');

const slugTaken = (slug: string): Problem =>
  bodyProblem(
    PROBLEMS.alreadyExists,
    ['slug'],
    `The slug "${slug}" is taken: organizations share one set of them. Choose another.`,
  );

/**
 * Renames an organization; its workspaces keep their addresses.
 *
 * @throws Problem precondition-failed, already-exists for a taken slug
 */
export const updateOrganization = async (
  context: RequestContext,
  organizationId: string,
  change: UpdateOrganization,
): Promise<OrganizationRow> => {
  const before = await getOrganization(context, organizationId);
  assertVersion(context, before.version);
  const { name = before.name, slug = before.slug } = change;
  if (name === before.name && slug === before.slug) return before;
  await renameOrganization(context.tx, { id: organizationId, slug, name }).catch(
    (error: unknown) => {
      throw isSlugTaken(error) ? slugTaken(slug) : error;
    },
  );
  await recordOrganizationChange(context, {
    action: 'organization.update',
    organizationId,
    targetId: organizationId,
    before: { slug: before.slug, name: before.name },
    after: { slug, name },
  });
  return getOrganization(context, organizationId);
};
