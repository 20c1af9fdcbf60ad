/**
 * The interactive reference at `GET /reference`: Swagger UI, from its package, on the API's own
 * description. Everything comes from this origin, and the page may neither load nor send anything elsewhere.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Context, Middleware } from 'koa';
import { PROBLEMS, Problem } from '../problems.ts';

const ROOT = '/reference';

const { resolve } = createRequire(import.meta.url);
const ownFile = (name: string): URL => new URL(name, import.meta.url);

/** Path below the root → its file and type; what is not here is not served. */
const FILES = {
  '': { file: ownFile('reference.html'), type: 'text/html' },
  '/reference.js': { file: ownFile('reference.js'), type: 'text/javascript' },
  '/reference.css': { file: ownFile('reference.css'), type: 'text/css' },
  '/favicon-32x32.png': {
    file: resolve('swagger-ui-dist/favicon-32x32.png'),
    type: 'image/png',
  },
  '/swagger-ui.css': { file: resolve('swagger-ui-dist/swagger-ui.css'), type: 'text/css' },
  '/swagger-ui-bundle.js': {
    file: resolve('swagger-ui-dist/swagger-ui-bundle.js'),
    type: 'text/javascript',
  },
} as const;

// Swagger UI draws its icons from data: URLs.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

type Asset = { readonly plain: Buffer; readonly brotli: Buffer; readonly digest: string };

/** Serves the page and its files; passes on everything else. */
export const referencePage = (): Middleware => {
  const assets = new Map<string, Promise<Asset>>();
  const load = (name: keyof typeof FILES): Promise<Asset> => {
    const asset = assets.get(name) ?? readAsset(FILES[name].file);
    assets.set(name, asset);
    return asset;
  };
  return async (ctx, next) => {
    const name = ctx.path.slice(ROOT.length);
    if (!ctx.path.startsWith(ROOT) || !isFile(name)) return next();
    ctx.state['route'] = ROOT;
    if (ctx.method === 'GET' || ctx.method === 'HEAD') serve(ctx, name, await load(name));
    else answerMethod(ctx);
  };
};

const isFile = (name: string): name is keyof typeof FILES => Object.hasOwn(FILES, name);

// Above it, seconds of work gain a few percent.
const QUALITY = 9;

/** Compressed once and not at each request, because the bundle is large and anyone may ask for it. */
const readAsset = async (file: string | URL): Promise<Asset> => {
  const plain = await readFile(file);
  const brotli = await promisify(brotliCompress)(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY },
  });
  return { plain, brotli, digest: createHash('sha256').update(plain).digest('base64url') };
};

const serve = (ctx: Context, name: keyof typeof FILES, asset: Asset): void => {
  const coding = ctx.acceptsEncodings('br', 'identity') === 'br' ? 'br' : 'identity';
  ctx.type = FILES[name].type;
  ctx.vary('Accept-Encoding');
  ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  // Asked for each time and answered 304 when unchanged: a new release is seen at once.
  ctx.set('Cache-Control', 'no-cache');
  ctx.set('ETag', `"${asset.digest}-${coding}"`);
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  if (coding === 'br') ctx.set('Content-Encoding', 'br');
  ctx.body = coding === 'br' ? asset.brotli : asset.plain;
};

const answerMethod = (ctx: Context): void => {
  const Allow = 'GET, HEAD, OPTIONS';
  if (ctx.method !== 'OPTIONS') {
    throw new Problem(PROBLEMS.methodNotAllowed, `Allowed here: ${Allow}.`, { headers: { Allow } });
  }
  ctx.status = 204;
  ctx.set('Allow', Allow);
};
