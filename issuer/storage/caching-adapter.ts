/**
 * The adapter with Redis before it. Cached is what is read again and again and loses nothing by a bounded
 * age: browsers' sessions, the interactions of a sign-in, and workspaces' clients. Codes, grants, tokens and
 * the marks of their consumption are PostgreSQL's alone, so that an empty or stale Redis replays nothing.
 */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import { parseId } from '#domain/identifiers.ts';
import { hash } from './adapter.ts';
import type { Cache } from './cache.ts';

// A renamed or deleted workspace shows for so long; who may sign in to it is asked of the database.
const CLIENT_SECONDS = 15;

const DIALOGUES = new Set(['Session', 'Interaction']);

/** Puts the cache before the adapters of the models for which that is safe. */
export const createCachingAdapterFactory =
  (createAdapter: (model: string) => Adapter, cache: Cache): AdapterFactory =>
  (model) => {
    const adapter = createAdapter(model);
    if (model === 'Client') return cacheClients(adapter, cache);
    return DIALOGUES.has(model) ? cacheDialogue(adapter, model, cache) : adapter;
  };

const cacheClients = (adapter: Adapter, cache: Cache): Adapter => ({
  ...adapter,
  // What a service account proves itself by ends with the request after its removal.
  find: async (id) =>
    parseId('workspace', id) === undefined
      ? adapter.find(id)
      : cache.read(
          { model: 'Client', idHash: hash(id) },
          async () => (await adapter.find(id)) || undefined,
          () => CLIENT_SECONDS,
        ),
});

const cacheDialogue = (adapter: Adapter, model: string, cache: Cache): Adapter => {
  const keyOf = (id: string) => ({ model, idHash: hash(id) });
  return {
    ...adapter,
    find: (id) =>
      cache.read(keyOf(id), async () => (await adapter.find(id)) || undefined, secondsOf),
    upsert: (id, payload, expiresIn) =>
      cache.write(keyOf(id), () => adapter.upsert(id, payload, expiresIn), {
        value: payload,
        seconds: secondsOf(payload),
      }),
    consume: (id) => cache.write(keyOf(id), () => adapter.consume(id)),
    destroy: (id) => cache.write(keyOf(id), () => adapter.destroy(id)),
  };
};

/** Until it ends; and what goes with a grant is not kept, because the database removes it by itself. */
const secondsOf = ({ exp, grantId }: AdapterPayload): number =>
  exp === undefined || grantId !== undefined ? 0 : exp - Date.now() / 1_000;
