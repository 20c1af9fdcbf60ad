/** What every change records in its own transaction, whichever service makes it. */
import { type CommonQueryMethods, type SerializableValue, sql } from 'slonik';
import * as z from 'zod';
import { createId, formatId } from '#domain/identifiers.ts';
import type { MemberKind } from './effective-groups.ts';
import { storableJson } from './storable.ts';

/** Who changed what, and from where. Ids are UUIDs. */
export type ChangeRecord = {
  /** `null`: of the platform. */
  readonly organizationId: string | null;
  readonly workspaceId: string | null;
  /** `null`: nobody, the time had come. */
  readonly actorId: string | null;
  /** What was done, such as `project.create`. */
  readonly action: string;
  readonly targetId: string;
  readonly before?: SerializableValue | undefined;
  readonly after?: SerializableValue | undefined;
  readonly requestId: string | null;
  /** The caller's address as the socket has it. */
  readonly ip: string | null;
};

const Nothing = z.strictObject({});

/** Writes the audit event and the outbox row, whose id orders live updates. */
export const recordAudit = async (db: CommonQueryMethods, change: ChangeRecord): Promise<void> => {
  await insertAuditEvent(db, change);
  await insertOutboxRow(db, change);
};

const insertAuditEvent = async (db: CommonQueryMethods, change: ChangeRecord): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO audit_event (
      id, organization_id, workspace_id, actor_id, action, target_id, before, after, request_id, ip
    ) VALUES (
      ${createId()}, ${change.organizationId}, ${change.workspaceId}, ${change.actorId},
      ${change.action}, ${change.targetId}, ${toJson(change.before)}, ${toJson(change.after)},
      ${change.requestId}, ${toInet(change.ip)}
    )
  `);
};

const insertOutboxRow = async (db: CommonQueryMethods, change: ChangeRecord): Promise<void> => {
  const payload = {
    target_id: change.targetId,
    actor: change.actorId && formatId('person', change.actorId),
  };
  await db.query(sql.type(Nothing)`
    INSERT INTO outbox (organization_id, workspace_id, kind, payload)
    VALUES (${change.organizationId}, ${change.workspaceId}, ${change.action}, ${sql.jsonb(payload)})
  `);
};

const toJson = (value: SerializableValue | undefined) =>
  value === undefined ? null : storableJson(value);

/** PostgreSQL's inet has no zone (RFC 4007); a connection that is gone has no address. */
const toInet = (ip: string | null): string | null => ip?.replace(/%.*$/, '') || null;

const GenerationRow = z.strictObject({ generation: z.int() });

/** Gives a workspace's cluster something new to be seen in force; answers its generation. */
export const raiseGeneration = (db: CommonQueryMethods, workspaceId: string): Promise<number> =>
  db.oneFirst(sql.type(GenerationRow)`
    UPDATE workspace
    SET generation = generation + 1, updated_at = now()
    WHERE id = ${workspaceId}
    RETURNING generation
  `);

/** How the records name what is done to the memberships of which kind of member. */
export const MEMBERSHIP_RECORDS = {
  person: { action: 'group-member', member: 'person_id' },
  serviceAccount: { action: 'group-service-account', member: 'service_account_id' },
} as const satisfies Record<MemberKind, unknown>;
