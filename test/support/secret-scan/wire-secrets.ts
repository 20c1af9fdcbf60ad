/** Which values of an HTTP exchange are secrets: by where they stand, whatever they look like. */

/** A message as it went over the wire. */
export type Message = {
  /** Of a request, the path with its query. */
  readonly target?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
};

/** Names of parameters, members and fields whose values open something. */
const SECRET_NAMES = new Set([
  ...['code', 'state', 'nonce', 'code_verifier', 'device_code', 'user_code', 'xsrf', 'sid'],
  ...['access_token', 'refresh_token', 'id_token', 'id_token_hint', 'token', 'logout_token'],
  ...['password', 'client_secret', 'client_assertion', 'assertion'],
]);

/** Paths that hold the id of an interaction, which its cookie holds too. */
const UID = /\/(?:interaction|auth|device)\/(?!auth\b)([\w-]{16,})/g;
const HIDDEN_FIELD = /<input[^>]*name="([^"]+)"[^>]*value="([^"]+)"/g;
/** Shorter ones are words, such as a language. */
const MIN_LENGTH = 8;

/** The secrets of a message. */
export const secretsOf = ({ target = '', headers, body }: Message): readonly string[] => {
  const location = headerOf(headers, 'location');
  const found = [
    ...fromAddress(target),
    ...fromAddress(location),
    ...fromCookies(headers),
    ...fromAuthorization(headerOf(headers, 'authorization')),
    ...fromBody(headerOf(headers, 'content-type'), body),
  ];
  return found.filter((secret) => secret.length >= MIN_LENGTH);
};

const headerOf = (headers: Message['headers'], name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : (value ?? []).join('\n');
};

const fromParameters = (parameters: URLSearchParams): readonly string[] =>
  [...parameters].filter(([name]) => SECRET_NAMES.has(name)).map(([, value]) => value);

const fromAddress = (address: string): readonly string[] => {
  const url = URL.parse(address, 'https://localhost');
  if (!url) return [];
  return [
    ...[...url.pathname.matchAll(UID)].map(([, uid = '']) => uid),
    ...fromParameters(url.searchParams),
    ...fromParameters(new URLSearchParams(url.hash.slice(1))),
  ];
};

const fromCookies = (headers: Message['headers']): readonly string[] => {
  const sent = headerOf(headers, 'cookie').split('; ');
  const set = headerOf(headers, 'set-cookie').split('\n');
  return [...sent, ...set.map((cookie) => cookie.split(';')[0] ?? '')].map((cookie) =>
    cookie.slice(cookie.indexOf('=') + 1),
  );
};

const fromAuthorization = (value: string): readonly string[] => {
  const [scheme = '', credentials = ''] = value.split(' ');
  if (scheme.toLowerCase() !== 'basic') return [credentials];
  const [, secret = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  return [credentials, decodeURIComponent(secret)];
};

const fromBody = (contentType: string, body: string): readonly string[] => {
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return fromParameters(new URLSearchParams(body));
  }
  if (contentType.startsWith('text/html')) {
    return [
      ...[...body.matchAll(HIDDEN_FIELD)]
        .filter(([, name = '']) => SECRET_NAMES.has(name))
        .map(([, , value = '']) => value),
      ...[...body.matchAll(UID)].map(([, uid = '']) => uid),
    ];
  }
  return contentType.startsWith('application/json') ? fromJson(body) : [];
};

const fromJson = (body: string): readonly string[] => {
  const members: unknown = JSON.parse(body);
  return Object.entries(members ?? {}).flatMap(([name, value]) =>
    SECRET_NAMES.has(name) && typeof value === 'string' ? [value] : [],
  );
};
