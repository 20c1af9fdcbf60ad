import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { raiseGeneration, recordAudit } from '#database/changes.ts';
import { createId } from '#domain/identifiers.ts';
import type { Adoption } from './adoption.ts';
import type { Finding } from './findings.ts';

/** Whose workspace takes something over, and what it was. */
type AdoptionRecord = {
  readonly workspaceId: string;
  readonly organizationId: string;
  readonly finding: Finding;
};

/** Takes a change over into the database, on the record; the next look gives the cluster the rest. */
export const carryOutAdoption = async (
  db: CommonQueryMethods,
  record: AdoptionRecord,
  adoption: Adoption,
): Promise<void> => {
  if (adoption.type === 'quota') await adoptQuota(db, record, adoption);
  else await adoptAssignments(db, record, adoption);
  await raiseGeneration(db, record.workspaceId);
};

const AssignmentRow = z.strictObject({ id: z.uuid(), group_id: z.uuid() });

const adoptAssignments = async (
  db: CommonQueryMethods,
  record: AdoptionRecord,
  adoption: Extract<Adoption, { type: 'assignments' }>,
): Promise<void> => {
  const { projectId, projectRoleId, presetRole, groups } = adoption;
  for (const group of new Set(groups)) {
    // One that is there already, for good or for a time, stays as it is.
    const made = await db.maybeOne(sql.type(AssignmentRow)`
      INSERT INTO role_assignment (id, workspace_id, group_id, project_id, project_role_id, preset_role)
      SELECT ${createId()}, g.workspace_id, g.id, ${projectId}, ${projectRoleId}, ${presetRole}
      FROM workspace_group g
      WHERE g.workspace_id = ${record.workspaceId} AND g.name = ${group}
      ON CONFLICT ON CONSTRAINT role_assignment__grant__unique DO NOTHING
      RETURNING id, group_id
    `);
    if (!made) continue;
    await recordAdoption(db, record, {
      action: 'role-assignment.adopt',
      targetId: made.id,
      after: {
        group_id: made.group_id,
        project_id: projectId,
        project_role_id: projectRoleId,
        preset_role: presetRole,
      },
    });
  }
};

const adoptQuota = async (
  db: CommonQueryMethods,
  record: AdoptionRecord,
  { projectId, quota }: Extract<Adoption, { type: 'quota' }>,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    UPDATE project
    SET quota = ${Object.keys(quota).length > 0 ? sql.jsonb(quota) : null},
      version = version + 1, updated_at = now()
    WHERE id = ${projectId} AND workspace_id = ${record.workspaceId}
  `);
  await recordAdoption(db, record, {
    action: 'project.adopt-quota',
    targetId: projectId,
    after: { quota },
  });
};

type Recorded = Pick<Parameters<typeof recordAudit>[1], 'action' | 'targetId' | 'after'>;

const recordAdoption = (
  db: CommonQueryMethods,
  { workspaceId, organizationId, finding }: AdoptionRecord,
  { action, targetId, after }: Recorded,
): Promise<void> =>
  recordAudit(db, {
    organizationId,
    workspaceId,
    actorId: null,
    action,
    targetId,
    before: { adopted_from: `${finding.kind} ${finding.namespace ?? ''}/${finding.name}` },
    after,
    requestId: null,
    ip: null,
  });
