/**
 * The doorbell: tells whoever listens that something about a workspace changed, so that they look
 * now and not at the next timer. It carries no truth: a lost, doubled or reordered ring is harmless,
 * because the listener reads all it needs from the database and also looks by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectNats } from '@nats-io/transport-node';
import pg from 'pg';
import type { Logger } from './log.ts';

/** What can be rung for; the name of the NATS subject and, with `_` for `.`, the NOTIFY channel. */
export const DOORBELL_SUBJECTS = {
  /** A workspace's desired state changed; payload: workspace id. */
  workspaceChanged: 'hexabase.workspace.changed',
  /** rbac-sync moved a workspace's tasks; payload: workspace id. */
  workspaceObserved: 'hexabase.workspace.observed',
  /** A signing key was revoked, or others sign; payload: its id, or nothing. */
  keysChanged: 'hexabase.keys.changed',
} as const;
export type DoorbellSubject = (typeof DOORBELL_SUBJECTS)[keyof typeof DOORBELL_SUBJECTS];

/** One interface over PostgreSQL's LISTEN/NOTIFY and NATS. */
export type Doorbell = AsyncDisposable & {
  /** Rings; call it after the commit. Never throws: a lost ring only costs time. */
  readonly ring: (subject: DoorbellSubject, id: string) => Promise<void>;
  /** Calls `listener` with the id of each ring from now on; returns how to stop. */
  readonly listen: (
    subject: DoorbellSubject,
    listener: (id: string) => void,
  ) => Promise<() => void>;
};

/** What {@link createDoorbell} needs. */
export type DoorbellOptions = {
  readonly databaseUrl: string;
  /** With it rings go through NATS (core, no JetStream), otherwise through PostgreSQL. */
  readonly natsUrl?: string | undefined;
  readonly log: Logger;
};

/** @throws when the server can't be reached at start; later losses are ridden out */
export const createDoorbell = (options: DoorbellOptions): Promise<Doorbell> =>
  options.natsUrl === undefined
    ? createNotifyDoorbell(options.databaseUrl, options.log)
    : createNatsDoorbell(options.natsUrl, options.log);

const LISTEN_MS = 250;

const createNatsDoorbell = async (url: string, log: Logger): Promise<Doorbell> => {
  const connection = await connectNats({
    servers: url,
    maxReconnectAttempts: -1,
    name: 'hexabase',
  });
  return {
    // Not flushed: whoever rings never waits for the broker.
    ring: async (subject, id) => {
      try {
        connection.publish(subject, id);
      } catch (error) {
        log.warn({ err: error, subject }, 'the doorbell could not be rung');
      }
    },
    listen: async (subject, listener) => {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error) log.warn({ err: error, subject }, 'the doorbell subscription failed');
          else listener(message.string());
        },
      });
      // A broker that is away gets the subscription when it is back; nobody waits for that.
      const subscribed = connection.flush().catch((error: unknown) => {
        log.warn({ err: error, subject }, 'the doorbell is not heard for now');
      });
      await Promise.race([subscribed, delay(LISTEN_MS)]);
      return () => subscription.unsubscribe();
    },
    [Symbol.asyncDispose]: async () => {
      await connection.drain().catch(() => connection.close());
    },
  };
};

const RECONNECT_MS = 500;

const createNotifyDoorbell = async (databaseUrl: string, log: Logger): Promise<Doorbell> => {
  const listeners = new Map<string, Set<(id: string) => void>>();
  let closed = false;
  let client = await openClient();
  let retry: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One statement after the other: a connection carries out one at a time. */
  function inTurn(text: string, values: readonly string[] = []): Promise<unknown> {
    const next = last.then(() => client.query(text, [...values]));
    last = next.catch(() => undefined);
    return next;
  }

  async function openClient(): Promise<pg.Client> {
    const next = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'hexabase-doorbell',
      keepAlive: true,
    });
    next.on('notification', ({ channel, payload }) => {
      for (const listener of listeners.get(channel) ?? []) listener(payload ?? '');
    });
    next.on('error', (error) => {
      log.warn({ err: error }, 'the doorbell lost its connection');
      reconnect();
    });
    await next.connect();
    for (const channel of listeners.keys()) await next.query(`LISTEN "${channel}"`);
    return next;
  }

  function reconnect(): void {
    if (closed || retry) return;
    retry = setTimeout(() => {
      retry = undefined;
      openClient().then(
        (next) => {
          if (closed) return next.end();
          client = next;
          return undefined;
        },
        () => reconnect(),
      );
    }, RECONNECT_MS);
  }

  return {
    ring: async (subject, id) => {
      try {
        await inTurn('SELECT pg_notify($1, $2)', [toChannel(subject), id]);
      } catch (error) {
        log.warn({ err: error, subject }, 'the doorbell could not be rung');
      }
    },
    listen: async (subject, listener) => {
      const channel = toChannel(subject);
      const others = listeners.get(channel);
      listeners.set(channel, (others ?? new Set()).add(listener));
      if (!others) {
        await inTurn(`LISTEN "${channel}"`).catch((error: unknown) => {
          // The next connection listens to every channel that has a listener.
          log.warn({ err: error, subject }, 'the doorbell is not heard for now');
          reconnect();
        });
      }
      return () => listeners.get(channel)?.delete(listener);
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      clearTimeout(retry);
      await client.end().catch(() => {});
    },
  };
};

const toChannel = (subject: DoorbellSubject): string => subject.replaceAll('.', '_');
