import type { RequestListener } from 'node:http';
import { expect, it } from 'vitest';
import { followKeys } from './follow-keys.ts';
import type { SigningKeySet, SigningKeys } from './signing-keys.ts';

const setOf = (kid: string): SigningKeySet => ({ keys: [{ kid }], newest: { kid } });

/** Keys that a test changes; `refresh` brings what is pending. */
const createKeys = () => {
  const listeners: ((set: SigningKeySet) => void)[] = [];
  const state = { set: setOf('one'), isOverdue: false, pending: undefined as string | undefined };
  const change = (kid: string) => {
    state.set = setOf(kid);
    for (const listener of listeners) listener(state.set);
  };
  const keys: SigningKeys = {
    current: () => state.set,
    onChange: (listener) => listeners.push(listener),
    isOverdue: () => state.isOverdue,
    refresh: async () => {
      if (state.pending) change(state.pending);
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { keys, state, change };
};

const follow = (keys: SigningKeys) => {
  const handledBy: unknown[] = [];
  const handler = followKeys(keys, (set) => () => void handledBy.push(set.newest.kid));
  const send = () => handler(...([{}, {}] as unknown as Parameters<RequestListener>));
  return { handledBy, send };
};

it('hands each request to the handler of the keys that there are', () => {
  const { keys, change } = createKeys();
  const { handledBy, send } = follow(keys);
  send();
  change('two');
  send();
  expect(handledBy).toEqual(['one', 'two']);
});

it('looks for other keys first after it was held up', async () => {
  const { keys, state } = createKeys();
  const { handledBy, send } = follow(keys);
  state.isOverdue = true;
  state.pending = 'two';
  await send();
  expect(handledBy).toEqual(['two']);
});
