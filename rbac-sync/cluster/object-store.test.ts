import { beforeEach, describe, expect, it } from 'vitest';
import { createObjectStore, type ObjectStore, ObservedObject } from './object-store.ts';

const object = (name: string, version: number, uid = `uid-${name}`): ObservedObject => ({
  kind: 'Role',
  metadata: { name, namespace: 'shop', uid, resourceVersion: `${version}` },
});

let store: ObjectStore;
const content = () =>
  Array.from(store.values(), ({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
beforeEach(() => {
  store = createObjectStore();
  store.put(object('a', 10));
});

describe('an object store', () => {
  it('takes a newer version, and ignores what it knows or had newer', () => {
    expect(store.put(object('a', 10))).toBe(false);
    expect(store.put(object('a', 9))).toBe(false);
    // As numbers, not as texts: "100" is newer than "99".
    expect([store.put(object('a', 99)), store.put(object('a', 100))]).toEqual([true, true]);
    expect(content()).toEqual(['a@100']);
  });

  it('forgets what is deleted, but not a newer object of that name', () => {
    store.put(object('a', 30, 'another'));
    expect(store.remove(object('a', 20))).toBe(false);
    expect(store.remove(object('a', 40, 'another'))).toBe(true);
    expect(content()).toEqual([]);
  });

  it('is not talked back into an object that we deleted', () => {
    store.removeOwn(object('a', 10));
    expect(store.put(object('a', 11))).toBe(false);
    expect(content()).toEqual([]);
    expect(store.remove(object('a', 12))).toBe(false);
  });

  it('takes an object that was made again under the name of one that we deleted', () => {
    store.removeOwn(object('a', 10));
    expect(store.put(object('a', 12, 'another'))).toBe(true);
    store.remove(object('a', 11));
    expect(content()).toEqual(['a@12']);
  });

  it('becomes what a list says, but keeps what it has newer than the list', () => {
    store.put(object('b', 10));
    store.put(object('written-since', 25));
    store.put(object('changed-since', 26));
    const news = store.replace([object('a', 15), object('changed-since', 12)], '20');
    expect(news).toBe(true);
    expect(content().toSorted()).toEqual(['a@15', 'changed-since@26', 'written-since@25']);
    expect(store.replace([object('a', 15), object('changed-since', 12)], '20')).toBe(false);
  });
});

describe('an observed object', () => {
  it('has a version of at most 64 bits: of millions of digits, each comparison would take seconds', () => {
    const versioned = (resourceVersion: string) => ({
      kind: 'Role',
      metadata: { name: 'a', uid: 'x', resourceVersion },
    });
    expect(ObservedObject.safeParse(versioned(`${2n ** 64n - 1n}`)).success).toBe(true);
    expect(ObservedObject.safeParse(versioned('9'.repeat(1_000_000))).success).toBe(false);
  });
});
