import { describe, expect, it } from 'vitest';
import type { Html } from '../html.ts';
import { EN } from './en.ts';
import { JA } from './ja.ts';
import { type LanguageContext, LOCALE_COOKIE, messagesFor } from './messages.ts';

type Asked = {
  readonly cookie?: string;
  readonly state?: string;
  readonly query?: string;
  /** What koa's `acceptsLanguages` makes of the header. */
  readonly accepted?: string;
};

const ask = ({ cookie, state, query, accepted = 'en' }: Asked): string =>
  messagesFor({
    cookies: { get: (name: string) => (name === LOCALE_COOKIE ? cookie : undefined) },
    state: { uiLocales: state },
    query: { ui_locales: query },
    acceptsLanguages: () => accepted,
  } as unknown as LanguageContext).locale;

describe('messagesFor', () => {
  it.each<[Asked, string]>([
    [{}, 'en'],
    [{ accepted: 'ja' }, 'ja'],
    [{ query: 'ja', accepted: 'en' }, 'ja'],
    [{ query: 'ja-JP en', accepted: 'en' }, 'ja'],
    [{ query: 'fr-CA JA' }, 'ja'],
    [{ query: 'de fr', accepted: 'ja' }, 'ja'],
    [{ query: '', accepted: 'ja' }, 'ja'],
    [{ state: 'ja', query: 'en' }, 'ja'],
    [{ cookie: 'en', state: 'ja', query: 'ja', accepted: 'ja' }, 'en'],
    [{ cookie: 'xx', accepted: 'ja' }, 'ja'],
    [{ cookie: '__proto__', accepted: 'en' }, 'en'],
  ])('for %j is %s', (asked, locale) => {
    expect(ask(asked)).toBe(locale);
  });
});

/** Every sentence of a catalog, with names and numbers put in. */
const sentences = (value: unknown, path = ''): readonly (readonly [string, string])[] => {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') {
    const made = path.endsWith('retryIn') ? value(5) : value('suspended', '〇〇', '△△');
    return [[path, typeof made === 'string' ? made : (made as Html).html]];
  }
  return Object.entries(value as object).flatMap(([key, inner]) =>
    sentences(inner, `${path}.${key}`),
  );
};

describe('the Japanese words', () => {
  // What is written so in Japanese too, and the name that stands for itself.
  const NAMES = /<\/?strong>|kubeconfig|kubectl|\bID\b|suspended/g;
  const ROOTS = new Set(['.locale', '.language']);

  it.each(sentences(JA).filter(([path]) => !ROOTS.has(path)))(
    'of %s are Japanese',
    (_path, words) => {
      expect(words.replace(NAMES, '')).not.toMatch(/[a-z]{2}/i);
      expect(words).toMatch(/[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]/u);
    },
  );

  it('are as many as the English', () => {
    const paths = (catalog: unknown) => sentences(catalog).map(([path]) => path);
    expect(paths(JA)).toEqual(paths(EN));
  });
});
