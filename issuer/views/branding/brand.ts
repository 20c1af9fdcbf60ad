/**
 * The brand of the pages, and the files that go with it: the stylesheet and the logo, each under a name that
 * changes with it.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Context, Middleware } from 'koa';
import type { BrandingConfig } from './config.ts';

/** What the frame of a page shows. */
export type Brand = {
  readonly name: string;
  readonly stylePath: string;
  /** Ours when there is none. */
  readonly logoPath: string | undefined;
  readonly links: {
    readonly support: string | undefined;
    readonly terms: string | undefined;
    readonly privacy: string | undefined;
  };
};

/** A file that the pages show. */
export type Asset = { readonly path: string; readonly type: string; readonly content: Buffer };

/** A brand with the files to serve. */
export type LoadedBrand = { readonly brand: Brand; readonly assets: readonly Asset[] };

// In the order of the cascade.
const STYLE = ['theme', 'page', 'form', 'account']
  .map((part) => readFileSync(new URL(`../style/${part}.css`, import.meta.url), 'utf8'))
  .join('\n');
const MAX_LOGO_BYTES = 262_144;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** @throws when the logo can't be read, is too large, or isn't what its name says */
export const loadBrand = async (config: BrandingConfig): Promise<LoadedBrand> => {
  const style = toAsset('text/css', 'css', Buffer.from(`${STYLE}${accentRules(config)}`));
  const logo = config.logo_path === undefined ? undefined : await loadLogo(config.logo_path);
  return {
    brand: {
      name: config.name,
      stylePath: style.path,
      logoPath: logo?.path,
      links: {
        support: config.support_url,
        terms: config.terms_url,
        privacy: config.privacy_url,
      },
    },
    assets: logo ? [style, logo] : [style],
  };
};

/** Gives every page its brand. */
export const rememberBrand =
  (brand: Brand): Middleware =>
  (ctx, next) => {
    ctx.state['brand'] = brand;
    return next();
  };

/** Serves the stylesheet and the logo. */
export const serveAssets = (assets: readonly Asset[]): Middleware => {
  const byPath = new Map(assets.map((asset) => [asset.path, asset]));
  return async (ctx, next) => {
    const asset = byPath.get(ctx.path);
    if (!asset) return next();
    ctx.type = asset.type;
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
    // An SVG that is opened by itself is a document of our origin: it may do nothing.
    ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    ctx.body = asset.content;
  };
};

/** The brand of the issuer that answers. @throws before {@link rememberBrand} has run */
export const brandOf = (ctx: Pick<Context, 'state'>): Brand => {
  const brand: Brand | undefined = ctx.state['brand'];
  if (!brand) throw new Error('a page was sent before its brand was known');
  return brand;
};

const toAsset = (type: string, extension: string, content: Buffer): Asset => {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { path: `/assets/${hash}.${extension}`, type, content };
};

const accentRules = ({ accent_color: accent }: BrandingConfig): string =>
  accent === undefined
    ? ''
    : `
:root { --accent: ${accent.light}; --focus: ${accent.light}; }
@media (prefers-color-scheme: dark) { :root { --accent: ${accent.dark}; --focus: ${accent.dark}; } }
`;

const loadLogo = async (path: string): Promise<Asset> => {
  const content = await readFile(path);
  if (content.length > MAX_LOGO_BYTES) {
    throw new Error(`The logo ${path} is larger than ${MAX_LOGO_BYTES / 1024} KiB.`);
  }
  const isPng = path.toLowerCase().endsWith('.png');
  const isValid = isPng
    ? content.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)
    : /<svg[\s>]/.test(content.toString('utf8'));
  if (!isValid) throw new Error(`The logo ${path} is no ${isPng ? 'PNG' : 'SVG'} image.`);
  return isPng ? toAsset('image/png', 'png', content) : toAsset('image/svg+xml', 'svg', content);
};
