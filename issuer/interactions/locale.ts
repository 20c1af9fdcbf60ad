/** The language switch of every page: keeps the choice and goes back to the page. */
import type { Middleware } from 'koa';
import { readForm } from '../http/form.ts';
import { LOCALE_COOKIE, LOCALES } from '../views/messages/messages.ts';

const ONE_YEAR_MS = 31_536_000_000;

/**
 * Answers `POST /locale` with `locale` and `address`, a path of ours; any other address becomes the root.
 *
 * @param issuerUrl an https origin
 */
export const switchLocale =
  (issuerUrl: string): Middleware =>
  async (ctx, next) => {
    if (ctx.path !== '/locale' || ctx.method !== 'POST') return next();
    const form = await readForm(ctx);
    const locale = form.get('locale') ?? '';
    if (!LOCALES.includes(locale)) ctx.throw(400, 'not a language of ours', { expose: true });
    ctx.cookies.set(LOCALE_COOKIE, locale, {
      httpOnly: true,
      maxAge: ONE_YEAR_MS,
      path: '/',
      sameSite: 'lax',
      secure: true,
      signed: false,
    });
    ctx.status = 303;
    ctx.set('Location', toOwnAddress(form.get('address') ?? '/', issuerUrl));
    ctx.body = '';
  };

/**
 * The address in full when it is on our origin, else the root. In full, because the path of
 * `/.//evil.example` is `//evil.example`, which alone would be another site.
 */
export const toOwnAddress = (address: string, issuerUrl: string): string => {
  const url = URL.parse(address, issuerUrl);
  const { origin } = new URL(issuerUrl);
  return url?.origin === origin && url.username === '' ? url.href : `${origin}/`;
};
