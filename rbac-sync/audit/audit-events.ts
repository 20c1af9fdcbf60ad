/** What of an API server's audit events is of use: writes that were carried out, and who made them. Pure. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { toStorableText } from '#database/storable.ts';
import type { DriftActor } from '#domain/drift.ts';
import { SYNC_USER } from '../cluster/identities.ts';

/** One write that a cluster told us of. */
export type ClusterWrite = {
  /** UUID made of the whole event. The audit id in it won't do: whoever asks the API server may choose it. */
  readonly eventId: string;
  readonly verb: string;
  /** Plural, such as `rolebindings`. */
  readonly resource: string;
  readonly namespace: string | null;
  /** `null` for a whole collection, and for an object whose name the server made. */
  readonly name: string | null;
  readonly at: Date;
  readonly actor: DriftActor;
};

const LONGEST = 512;
const shorten = (value: string): string => toStorableText(value, LONGEST);
const text = z.string().transform(shorten);

const User = z.object({
  username: text,
  extra: z.record(z.string(), z.array(z.string())).nullish(),
});

const Event = z.object({
  stage: z.string(),
  verb: text,
  requestURI: z.string().default(''),
  /** Of deletions alone: their options, if they came in a body. */
  requestObject: z.object({ dryRun: z.array(z.string()).nullish() }).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
  user: User,
  impersonatedUser: User.nullish(),
  sourceIPs: z.array(text).nullish(),
  userAgent: text.nullish(),
  objectRef: z
    .object({
      resource: text,
      namespace: text.nullish(),
      name: text.nullish(),
      subresource: text.nullish(),
    })
    .nullish(),
  responseStatus: z.object({ code: z.int().nullish() }).nullish(),
  /** Before the change can be seen by any watch, unlike the moment of the answer. */
  requestReceivedTimestamp: z.coerce.date(),
});

type AuditEvent = z.infer<typeof Event>;

/** Ten times what our flags allow, and more than an API server sends by default. */
const MOST_EVENTS = 1000;

const EventList = z.object({
  apiVersion: z.literal('audit.k8s.io/v1'),
  kind: z.literal('EventList'),
  items: z.array(z.unknown()).max(MOST_EVENTS),
});

/**
 * The writes of an EventList (audit.k8s.io/v1) that succeeded and are not ours.
 *
 * @returns nothing for what is no EventList; single events of an unknown shape are left out
 */
export const readClusterWrites = (body: unknown): readonly ClusterWrite[] | undefined => {
  const list = EventList.safeParse(body);
  if (!list.success) return undefined;
  return list.data.items.flatMap((item) => {
    const event = Event.safeParse(item);
    return event.success ? toWrites(toEventId(item), event.data) : [];
  });
};

/** The same for an event that comes again, in the layout of UUIDv8 (RFC 9562). */
const toEventId = (item: unknown): string => {
  const hash = createHash('sha256').update(JSON.stringify(item)).digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
};

const toWrites = (eventId: string, event: AuditEvent): ClusterWrite[] => {
  const { objectRef, responseStatus } = event;
  if (!objectRef || event.stage !== 'ResponseComplete') return [];
  if ((responseStatus?.code ?? 500) >= 300) return [];
  if (isDryRun(event)) return [];
  if (event.user.username === SYNC_USER && !event.impersonatedUser) return [];
  const { resource, subresource } = objectRef;
  return [
    {
      eventId,
      verb: event.verb,
      resource: subresource ? `${resource}/${subresource}` : resource,
      namespace: objectRef.namespace || null,
      // The API server says a namespace's own name in both places.
      name: objectRef.name || null,
      at: event.requestReceivedTimestamp,
      actor: toActor(event),
    },
  ];
};

/**
 * A dry run changes nothing, and its event looks like that of a write (`kubectl diff`, `--dry-run=server`). Only
 * what surely is one is left out, so that nobody hides a write: the pair is compared as it was sent, because the
 * API server drops pairs that others would read; and of a deletion with options in its body the query is ignored.
 */
const isDryRun = ({ verb, requestURI, requestObject, annotations }: AuditEvent): boolean => {
  if (requestObject) return requestObject.dryRun?.includes('All') ?? false;
  const isDeletion = verb === 'delete' || verb === 'deletecollection';
  if (isDeletion && annotations?.[TRUNCATED] !== undefined) return false;
  const [, ...query] = requestURI.split('?');
  return query.join('?').split('&').includes('dryRun=All');
};

/** The annotation of events whose body was cut off for its size. */
const TRUNCATED = 'audit.k8s.io/truncated';

const toActor = (event: AuditEvent): DriftActor => {
  const who = event.impersonatedUser ?? event.user;
  const extra = (key: string) => shorten(who.extra?.[`kaas.hexabase.io/${key}`]?.[0] ?? '') || null;
  return {
    username: who.username,
    name: extra('name'),
    email: extra('email'),
    impersonated_by: event.impersonatedUser ? event.user.username : null,
    user_agent: event.userAgent || null,
    source_ips: (event.sourceIPs ?? []).slice(0, 8),
  };
};
