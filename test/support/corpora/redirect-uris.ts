/**
 * Addresses that an attacker would like an answer to go to, made from those that a client has registered
 * (RFC 9700 §4.1, RFC 8252 §8.10): each base is mangled in every way that has misled a parser somewhere.
 */

import { FOREIGN_ADDRESSES, OTHER_LOCAL_HOSTS } from './addresses.ts';

const EVIL = 'evil.example';

/** Parts of an address that is written as `scheme://host[:port]/path`. */
type Parts = {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
};

const read = (uri: string): Parts => {
  const match = /^([a-z]+):\/\/(\[[^\]]+\]|[^:/]+)(:\d+)?(.*)$/.exec(uri);
  if (!match) throw new Error(`not an address of that form: ${uri}`);
  const [, scheme = '', host = '', port = '', path = ''] = match;
  return { scheme, host, port, path };
};

/** The name that takes the place of the host, or stands around it. */
const hosts = ({ host, port }: Parts): readonly string[] => [
  EVIL,
  `${host}.${EVIL}`,
  `${EVIL}.${host}`,
  `${host}-${EVIL}`,
  `${host}${EVIL}`,
  `${host}.`,
  `${host}..`,
  `.${host}`,
  `${host}%00.${EVIL}`,
  `${host}%2e${EVIL}`,
  `${host}%2f${EVIL}`,
  `${host}%23${EVIL}`,
  `${host}%40${EVIL}`,
  `${host}%3a80@${EVIL}`,
  `${host}@${EVIL}`,
  `${host}@@${EVIL}`,
  `${host}:80@${EVIL}`,
  `${host}:80@${EVIL}:80`,
  `${EVIL}@${host}`,
  `${EVIL}@@${host}`,
  `user@${host}`,
  `user:secret@${host}`,
  `:@${host}`,
  `@${host}`,
  `${host}\\@${EVIL}`,
  `${host}\\.${EVIL}`,
  `${EVIL}\\@${host}`,
  `${EVIL}#@${host}`,
  `${EVIL}?@${host}`,
  `${EVIL}/@${host}`,
  `${EVIL}%2f@${host}`,
  `${host}#@${EVIL}`,
  `${host}&@${EVIL}`,
  `${host};@${EVIL}`,
  `${host},${EVIL}`,
  `${host} ${EVIL}`,
  `${host}\t.${EVIL}`,
  `${host}\n.${EVIL}`,
  `${host}\r\nLocation: https://${EVIL}`,
  `${host}。${EVIL}`,
  `${host}．${EVIL}`,
  `${host}｡${EVIL}`,
  `${host}／${EVIL}`,
  `${host}＠${EVIL}`,
  `${host}\u00ad`,
  `${host}\u200b`,
  `${host}\u202e`,
  ` ${host}`,
  `${host} `,
  `${host}\u0000`,
  `[${host.replace(/^\[|\]$/g, '')}]${port === '' ? '' : ':'}`,
];

const PORTS: readonly string[] = [
  ':',
  ':0',
  ':00',
  ':08000',
  ':000000000080',
  ':65536',
  ':99999',
  ':-1',
  ':+80',
  ':0x50',
  ':８０',
  ':80:80',
  ':80 ',
  ': 80',
  ':80a',
  ':80%20',
  ':80@evil.example',
  ':80\\@evil.example',
  ':80#@evil.example',
  ':\t80',
];

const paths = ({ path }: Parts): readonly string[] =>
  [
    '/..',
    '/../',
    '/..;/',
    '/.',
    '/./',
    '/%2e',
    '/%2e%2e/',
    '/%2e%2e%2f',
    '/..%2f',
    '/..%5c',
    '/..\\',
    '/;x',
    ';x',
    '//',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\',
    '\\evil.example',
    '%2f',
    '%00',
    '%0a',
    '%0d%0aLocation:%20https://evil.example',
    '\n',
    '\t',
    ' ',
    '?',
    '?next=https://evil.example',
    '?code=stolen',
    '?state=1&iss=https://evil.example',
    '#',
    '#evil',
    '#@evil.example',
    '?#',
    '/callback/../../',
    '/callback/extra',
    '/CALLBACK',
    '/callback/',
    '/callback.evil.example',
    '/%63allback',
    '/*',
    '/{}',
    '&',
    '|',
    '`',
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    `/${'a'.repeat(2_000)}`,
  ].map((suffix) => `${path}${suffix}`);

const SCHEMES = [
  'HTTP',
  'Https',
  'http:http',
  'hxxp',
  'ftp',
  'file',
  'ws',
  'wss',
  'gopher',
  'blob:http',
  'view-source:http',
  ' http',
  '\thttp',
  'http\n',
  'jav\tascript',
];

/** Every mangling of an address, without the address itself. */
export const mangle = (base: string): readonly string[] => {
  const parts = read(base);
  const { scheme, host, port, path } = parts;
  const mangled = [
    ...hosts(parts).map((each) => `${scheme}://${each}${port}${path}`),
    ...OTHER_LOCAL_HOSTS.map((each) => `${scheme}://${each}${port}${path}`),
    ...PORTS.map((each) => `${scheme}://${host}${each}${path}`),
    ...paths(parts).map((each) => `${scheme}://${host}${port}${each}`),
    ...SCHEMES.map((each) => `${each}://${host}${port}${path}`),
    `${scheme === 'http' ? 'https' : 'http'}://${host}${port}${path}`,
    `${scheme}:/${host}${port}${path}`,
    `${scheme}:${host}${port}${path}`,
    `${scheme}:///${host}${port}${path}`,
    `${scheme}:\\\\${host}${port}${path}`,
    `//${host}${port}${path}`,
    ` ${base}`,
    `${base} `,
    `\ufeff${base}`,
  ];
  return mangled.filter((uri) => uri !== base);
};

/** All manglings of these addresses and those that resemble none, each once. */
export const hostileRedirectUris = (bases: readonly string[]): readonly string[] => {
  const registered = new Set(bases);
  return [...new Set([...bases.flatMap(mangle), ...FOREIGN_ADDRESSES])].filter(
    (uri) => !registered.has(uri),
  );
};
