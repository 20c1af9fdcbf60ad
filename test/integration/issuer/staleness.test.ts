/**
 * How long an API server goes on saying yes when nobody tells it anything: the issuer and the API are stopped
 * right after a removal, and the last tokens that still carry the right run out in real time, all at once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ID_TOKEN_SECONDS, oldTokensUntil } from '#domain/staleness.ts';
import {
  type GuardedWorkspace,
  type Someone,
  startGuardedWorkspace,
  statusOf,
} from '../../support/guarded-workspace.ts';
import { poll } from '../../support/poll.ts';

/** What is promised, in seconds. */
const PROMISED = 150;

let guarded: GuardedWorkspace;
beforeAll(async () => {
  guarded = await startGuardedWorkspace({ people: 3 });
});
afterAll(() => guarded[Symbol.asyncDispose]());

const REMOVALS: Readonly<Record<string, (person: Someone) => Promise<unknown>>> = {
  'taken out of the group': ({ id }) =>
    guarded.database.query('DELETE FROM group_member WHERE person_id = $1', [id]),
  suspended: ({ id }) =>
    guarded.database.query('UPDATE person SET suspended_at = now() WHERE id = $1', [id]),
  'gone from the workspace': ({ id }) => guarded.workspace.removeMember(id),
};

/** Asks all the time; the last moment of a yes. */
const lastYes = async (token: string, until: number): Promise<number> => {
  const client = guarded.cluster.withToken(token);
  let last = 0;
  while (Date.now() < until) {
    const asked = Date.now();
    const status = await statusOf(client);
    if (status === 200) last = asked;
    // Only what has expired is refused so: there is no other reason to be.
    else if (status !== 401) throw new Error(`answered ${status}`);
    await delay(250);
  }
  return last;
};

describe('with the issuer stopped', () => {
  it(`nobody is let in for longer than ${PROMISED} seconds after a removal`, async () => {
    const people = await Promise.all(
      Object.keys(REMOVALS).map(async (name) => ({ name, person: await guarded.someone() })),
    );
    const removed = await Promise.all(
      people.map(async ({ name, person }) => {
        const { id_token } = await person.signIn();
        // An API server that has seen no token yet has not read the issuer's keys.
        const client = guarded.cluster.withToken(id_token);
        await poll('a yes', async () => (await statusOf(client)) === 200);
        await REMOVALS[name]?.(person);
        return { name, id_token, at: new Date() };
      }),
    );
    await guarded.stopIssuer();
    const measured = await Promise.all(
      removed.map(async ({ name, id_token, at }) => {
        const promised = at.getTime() + 1000 * PROMISED;
        expect(oldTokensUntil(at).getTime()).toBeLessThanOrEqual(promised);
        const seconds = ((await lastYes(id_token, promised + 3_000)) - at.getTime()) / 1000;
        return { name, seconds };
      }),
    );
    for (const { name, seconds } of measured) {
      expect(seconds, name).toBeLessThanOrEqual(PROMISED);
      // It is the token's life that ends it: the measurement would notice tokens that end at once.
      expect(seconds, name).toBeGreaterThan(ID_TOKEN_SECONDS - 30);
    }
  }, 240_000);
});
