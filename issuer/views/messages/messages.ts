/**
 * Which language a page speaks: the person's choice, then `ui_locales` of the authorization request (OpenID
 * Connect Core 1.0 §3.1.2.1), then what the browser accepts, then English.
 */
import type { Context } from 'koa';
import { EN, type Messages } from './en.ts';
import { JA } from './ja.ts';

/** All languages, in the order of the switch. */
export const CATALOGS: readonly Messages[] = [EN, JA];

/** The languages' BCP 47 tags, for discovery. */
export const LOCALES: readonly string[] = CATALOGS.map(({ locale }) => locale);

/** Holds the choice that someone has made with the switch: a tag. */
export const LOCALE_COOKIE = '__Host-hexabase-locale';

/** What the language is found by. */
export type LanguageContext = Pick<Context, 'acceptsLanguages' | 'cookies' | 'query' | 'state'>;

/** The words for whoever has sent a request. */
export const messagesFor = (ctx: LanguageContext): Messages =>
  findCatalog(ctx.cookies.get(LOCALE_COOKIE, { signed: false })) ??
  fromUiLocales(ctx.state['uiLocales'] ?? ctx.query['ui_locales']) ??
  findCatalog(ctx.acceptsLanguages([...LOCALES]) || undefined) ??
  EN;

/** Remembers the `ui_locales` of a request that this one belongs to, such as an interaction's. */
export const rememberUiLocales = (ctx: Pick<Context, 'state'>, uiLocales: unknown): void => {
  ctx.state['uiLocales'] = uiLocales;
};

/** The first of a space-separated list of tags that there are words for; regions don't matter. */
const fromUiLocales = (value: unknown): Messages | undefined =>
  typeof value === 'string'
    ? value
        .split(' ')
        .map((tag) => findCatalog(tag.split('-')[0]?.toLowerCase()))
        .find((catalog) => catalog !== undefined)
    : undefined;

const findCatalog = (tag: string | undefined): Messages | undefined =>
  CATALOGS.find(({ locale }) => locale === tag);
