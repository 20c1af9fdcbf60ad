import { type CommonQueryMethods, type FragmentSqlToken, sql } from 'slonik';
import * as z from 'zod';
import { ifGiven } from '#database/condition.ts';
import { type SortedPageRequest, toOrder } from '../cursor.ts';
import { WorkspaceRow, type WorkspaceState } from './schema.ts';

const workspaceColumns = (personId: string) => sql.fragment`
  w.id, w.organization_id, w.slug, w.name, w.generation, w.observed_generation, w.conditions,
  w.version, w.created_at, w.provisioner, o.slug AS organization_slug,
  CASE
    WHEN w.delete_after IS NOT NULL OR o.delete_after IS NOT NULL THEN 'deleting'
    WHEN w.suspended_at IS NOT NULL THEN 'suspended'
    ELSE 'active'
  END AS state,
  least(w.delete_after, o.delete_after) AS delete_after,
  o.delete_after IS NOT NULL AS organization_deleting,
  jsonb_build_object(
    'id', p.id, 'name', p.name, 'display_name', p.display_name, 'project_quota', p.project_quota,
    'limit_range', p.limit_range, 'network_policy', p.network_policy,
    'workspace_quota', p.workspace_quota,
    'max_projects', p.max_projects, 'isolation', p.isolation, 'node_selector', p.node_selector,
    'tolerations', p.tolerations, 'price', p.price, 'version', p.version, 'retired_at', p.retired_at
  ) AS plan,
  EXISTS (
    SELECT FROM workspace_member m
    WHERE m.workspace_id = w.id AND m.person_id = ${personId}
    OFFSET 0
  ) AS member,
  c.server, c.certificate_authority`;

/** Row-level security hides the organization from members who are none of its users. */
const workspaceTables = sql.fragment`
  workspace w
  CROSS JOIN LATERAL workspace_organization(w.id) o
  JOIN plan p ON p.id = w.plan_id
  LEFT JOIN workspace_cluster c ON c.workspace_id = w.id`;

/** Which workspaces a list shows; everything that isn't set lets all through. */
export type WorkspaceFilter = {
  /** UUID. */
  readonly organizationId: string | null;
  readonly state: WorkspaceState | null;
};

/** The workspaces that a person can see: as a member, or as a user of the organization. */
export const listWorkspaces = (
  db: CommonQueryMethods,
  filter: WorkspaceFilter & { readonly personId: string },
  page: SortedPageRequest,
): Promise<readonly WorkspaceRow[]> =>
  db.any(sql.type(WorkspaceRow)`
    SELECT ${workspaceColumns(filter.personId)}
    FROM ${workspaceTables}
    WHERE w.id IN (${selectVisible(filter, page)})
    ORDER BY ${toOrder(page, namesOf('w')).orderBy}
  `);

const namesOf = (table: string) => ({
  id: sql.fragment`${sql.identifier([table, 'id'])}`,
  name: sql.fragment`${sql.identifier([table, 'name'])}`,
});

/**
 * The ids of one page. Each of the two ways to see a workspace gives its first rows in order by an
 * index, however many rows come after them.
 */
const selectVisible = (
  { personId, ...filter }: WorkspaceFilter & { readonly personId: string },
  page: SortedPageRequest,
): FragmentSqlToken => {
  const { isAfter, orderBy } = toOrder(page, namesOf('w'));
  const ofMember = toOrder(page, { ...namesOf('w'), id: sql.fragment`m.workspace_id` });
  return sql.fragment`
    SELECT visible.id
    FROM (
      (
        SELECT w.id, w.name
        FROM workspace_member m
        JOIN workspace w ON w.id = m.workspace_id
        CROSS JOIN LATERAL workspace_organization(w.id) o
        WHERE m.person_id = ${personId} AND ${ofMember.isAfter} AND ${isWanted(filter)}
        ORDER BY ${ofMember.orderBy}
        LIMIT ${page.take}
      )
      UNION
      SELECT own.id, own.name
      FROM organization_user u
      CROSS JOIN LATERAL (
        SELECT w.id, w.name
        FROM workspace w
        CROSS JOIN LATERAL workspace_organization(w.id) o
        WHERE w.organization_id = u.organization_id AND ${isAfter} AND ${isWanted(filter)}
        ORDER BY ${orderBy}
        LIMIT ${page.take}
      ) own
      WHERE u.person_id = ${personId}
    ) visible
    ORDER BY ${toOrder(page, namesOf('visible')).orderBy}
    LIMIT ${page.take}`;
};

const isWanted = ({ organizationId, state }: WorkspaceFilter): FragmentSqlToken => sql.fragment`
  ${ifGiven(organizationId, (owner) => sql.fragment`w.organization_id = ${owner}::uuid`)}
  AND CASE ${state}::text
    WHEN 'active' THEN
      w.suspended_at IS NULL AND w.delete_after IS NULL AND o.delete_after IS NULL
    WHEN 'suspended' THEN
      w.suspended_at IS NOT NULL AND w.delete_after IS NULL AND o.delete_after IS NULL
    WHEN 'deleting' THEN w.delete_after IS NOT NULL OR o.delete_after IS NOT NULL
    ELSE true
  END`;

/** A workspace as a person sees it; throws slonik's NotFoundError when they don't. */
export const getWorkspace = (
  db: CommonQueryMethods,
  workspaceId: string,
  personId: string,
): Promise<WorkspaceRow> =>
  db.one(sql.type(WorkspaceRow)`
    SELECT ${workspaceColumns(personId)}
    FROM ${workspaceTables}
    WHERE w.id = ${workspaceId}
  `);

/** A new workspace; its constraint on slugs speaks when the slug is taken. */
export const insertWorkspace = (
  db: CommonQueryMethods,
  workspace: {
    readonly id: string;
    readonly organizationId: string;
    readonly slug: string;
    readonly name: string;
    readonly planId: string;
    /** What makes its control plane; `null` for the platform's default. */
    readonly provisioner: string | null;
  },
): Promise<{ generation: number }> =>
  db.one(sql.type(z.strictObject({ generation: z.int() }))`
    INSERT INTO workspace (id, organization_id, slug, name, plan_id, provisioner)
    VALUES (
      ${workspace.id}, ${workspace.organizationId}, ${workspace.slug}, ${workspace.name},
      ${workspace.planId}, ${workspace.provisioner}
    )
    RETURNING generation
  `);

/** How many workspaces an organization has. */
export const countWorkspaces = (db: CommonQueryMethods, organizationId: string): Promise<number> =>
  db.oneFirst(sql.type(z.strictObject({ count: z.int() }))`
    SELECT count(*)::int AS count FROM workspace WHERE organization_id = ${organizationId}
  `);

/** Whether a workspace has a project of this name. */
export const hasProject = (
  db: CommonQueryMethods,
  workspaceId: string,
  name: string,
): Promise<boolean> =>
  db.exists(sql.type(z.strictObject({}))`
    SELECT FROM project WHERE workspace_id = ${workspaceId} AND name = ${name}
  `);

/** Renames a workspace. */
export const renameWorkspace = async (
  db: CommonQueryMethods,
  workspaceId: string,
  name: string,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    UPDATE workspace
    SET name = ${name}, version = version + 1, updated_at = now()
    WHERE id = ${workspaceId}
  `);
};
