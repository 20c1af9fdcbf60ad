/** Which language a page speaks: the person's choice, then what the browser accepts, then English. */
import type { Context } from 'koa';
import { EN, type Messages } from './en.ts';
import { JA } from './ja.ts';

const CATALOGS: readonly Messages[] = [EN, JA];

/** The words for whoever has sent a request. */
export const messagesFor = (ctx: Pick<Context, 'acceptsLanguages'>): Messages => {
  const accepted = ctx.acceptsLanguages(CATALOGS.map(({ locale }) => locale));
  return CATALOGS.find(({ locale }) => locale === accepted) ?? EN;
};
