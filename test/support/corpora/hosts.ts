/**
 * Headers and request lines by which an attacker claims another host than the one that is asked
 * (RFC 9112 §3.2, RFC 7239, and the X-Forwarded-* family).
 */

/** What no answer may contain. */
export const ATTACKER = 'evil.example';

/** A request whose line or headers lie about the host. */
export type HostileRequest = {
  readonly name: string;
  /** Name and value in turn, with Host. */
  readonly headers: readonly string[];
  /** Stands before the path, for a request line in absolute form. */
  readonly prefix?: string;
  /** `refused` when the whole request must be; otherwise it is enough that nothing is reflected. */
  readonly outcome: 'refused' | 'unaffected';
};

const foreignHosts = (host: string): readonly string[] => {
  const [name = '', port = ''] = host.split(':');
  return [
    ATTACKER,
    `${ATTACKER}:${port}`,
    `${ATTACKER}:443`,
    `${ATTACKER}.`,
    `${host}.${ATTACKER}`,
    `${name}.${ATTACKER}`,
    `${name}.${ATTACKER}:${port}`,
    `${ATTACKER}.${host}`,
    `${name}-${ATTACKER}:${port}`,
    `${ATTACKER}@${host}`,
    `${host}@${ATTACKER}`,
    `user:secret@${host}@${ATTACKER}`,
    `${host}:80@${ATTACKER}`,
    `${host}/${ATTACKER}`,
    `${host}/.${ATTACKER}`,
    `${host}\\.${ATTACKER}`,
    `${host}#${ATTACKER}`,
    `${host}?${ATTACKER}`,
    `${host};${ATTACKER}`,
    `${host} ${ATTACKER}`,
    `${host}\t${ATTACKER}`,
    `${host}, ${ATTACKER}`,
    `${ATTACKER}, ${host}`,
    `${host},${host},${ATTACKER}`,
    `https://${ATTACKER}`,
    `//${ATTACKER}`,
    `"${ATTACKER}"`,
    `<script>alert("${ATTACKER}")</script>`,
    `[${ATTACKER}]`,
    `[::1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `127.0.0.1:${port}`,
    `0.0.0.0:${port}`,
    `2130706433:${port}`,
    name,
    `${name}.:${port}`,
    `.${host}`,
    `${name}:1`,
    `${name}:0`,
    `${name}:65536`,
    `${name}:-1`,
    `${name}:${port}0`,
    `${name}:0${port}`,
    `${name}:${port}:${port}`,
    `${name}::${port}`,
    `${name}:`,
    `${host}%00.${ATTACKER}`,
    `%65vil.example`,
    `${'a'.repeat(4_000)}.${ATTACKER}`,
    `${'.'.repeat(500)}${ATTACKER}`,
    `${`${host},`.repeat(200)}${ATTACKER}`,
    'localhost.localdomain',
    'null',
    '*',
    '-',
  ];
};

/** Headers that some server or proxy takes for the host, and we never do. */
const OTHER_HEADERS: readonly string[] = [
  'Forwarded-Host',
  'X-Forwarded-Server',
  'X-Host',
  'X-HTTP-Host-Override',
  'X-Original-Host',
  'X-Backend-Host',
  'X-Forwarded-By',
  'X-Real-Host',
  'X-Rewrite-URL',
  'X-Original-URL',
  'X-Proxy-Url',
  'Base-Url',
  'Proxy-Host',
  'Request-Uri',
  'Referer',
  'Origin',
  'Via',
  'Location',
];

const FORWARDED: readonly string[] = [
  `host=${ATTACKER}`,
  `for=1.2.3.4;host=${ATTACKER};proto=http`,
  `for=${ATTACKER}`,
  `for="[2001:db8::1]:4711";by=${ATTACKER}`,
  `proto=javascript;host="${ATTACKER}"`,
  `host="${ATTACKER}:443";host=localhost`,
  `host=${ATTACKER},host=localhost`,
  `${'for=1;'.repeat(300)}host=${ATTACKER}`,
];

const ADDRESSES: readonly string[] = [
  ATTACKER,
  `127.0.0.1, ${ATTACKER}`,
  `${ATTACKER}, 127.0.0.1`,
  `<b>${ATTACKER}</b>`,
  `1.2.3.4 ${ATTACKER}`,
  `"${ATTACKER}"`,
  `${'1.2.3.4, '.repeat(300)}${ATTACKER}`,
  `' OR 1=1 -- ${ATTACKER}`,
];

const PROTOCOLS = [
  'http',
  'HTTP',
  'javascript',
  'http, https',
  'https, http',
  `http://${ATTACKER}/`,
  'ftp',
  '',
];
const PORTS = ['80', '443', '6666', '0', '-1', '65536', `80@${ATTACKER}`, `80.${ATTACKER}`];

/** All of them, for an issuer at this host and port. */
export const hostileRequests = (host: string): readonly HostileRequest[] => {
  const refused = (name: string, headers: readonly string[], prefix?: string): HostileRequest => ({
    name,
    headers,
    outcome: 'refused',
    ...(prefix !== undefined && { prefix }),
  });
  const unaffected = (name: string, value: string): HostileRequest => ({
    name: `${name}: ${value.slice(0, 80)}`,
    headers: ['Host', host, name, value],
    outcome: 'unaffected',
  });
  const foreign = foreignHosts(host);
  return [
    ...foreign.map((each) => refused(`Host ${each.slice(0, 80)}`, ['Host', each])),
    ...foreign.map((each) =>
      refused(`X-Forwarded-Host ${each.slice(0, 80)}`, ['Host', host, 'X-Forwarded-Host', each]),
    ),
    ...foreign
      .slice(0, 25)
      .map((each) =>
        refused(`both ${each.slice(0, 80)}`, ['Host', each, 'X-Forwarded-Host', host]),
      ),
    refused('Host twice', ['Host', host, 'Host', ATTACKER]),
    refused('Host twice, ours last', ['Host', ATTACKER, 'Host', host]),
    refused('Host twice, both ours', ['Host', host, 'host', host]),
    refused('X-Forwarded-Host twice', [
      ...['Host', host, 'X-Forwarded-Host', host],
      ...['X-Forwarded-Host', ATTACKER],
    ]),
    ...[`https://${ATTACKER}`, `http://${ATTACKER}`, `https://${host}@${ATTACKER}`].map((prefix) =>
      refused(`absolute form ${prefix}`, ['Host', host], prefix),
    ),
    refused('absolute form of ours', ['Host', host], `https://${host}`),
    refused('absolute form, other Host', ['Host', ATTACKER], `https://${host}`),
    ...FORWARDED.map((value) => unaffected('Forwarded', value)),
    ...ADDRESSES.map((value) => unaffected('X-Forwarded-For', value)),
    ...ADDRESSES.map((value) => unaffected('X-Real-IP', value)),
    ...PROTOCOLS.map((value) => unaffected('X-Forwarded-Proto', value)),
    ...PROTOCOLS.slice(0, 6).map((value) => unaffected('X-Forwarded-Scheme', value)),
    ...PORTS.map((value) => unaffected('X-Forwarded-Port', value)),
    ...['/evil.example', `//${ATTACKER}`, `https://${ATTACKER}`].map((value) =>
      unaffected('X-Forwarded-Prefix', value),
    ),
    ...OTHER_HEADERS.map((name) => unaffected(name, `https://${ATTACKER}/`)),
    ...OTHER_HEADERS.slice(0, 8).map((name) => unaffected(name, ATTACKER)),
  ];
};

/** Requests that no client library would write, as they go over the wire. */
export const malformedRequests = (host: string, path: string): readonly string[] => {
  const end = 'Connection: close\r\n\r\n';
  return [
    `GET ${path} HTTP/1.1\r\n${end}`,
    `GET ${path} HTTP/1.0\r\n\r\n`,
    `GET ${path} HTTP/1.0\r\nHost: ${ATTACKER}\r\n\r\n`,
    `GET ${path} HTTP/1.1\r\nHost:\r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost: \t \r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost : ${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\r\n Host: ${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n ${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost: ${host}\u0000${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost: ${host}\n\tX: ${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\nHost: ${ATTACKER}\n\n`,
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nhOST: ${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: ${ATTACKER}\r\n${end}`,
    `GET https://${ATTACKER}${path} HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `GET https:${path} HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `GET //${ATTACKER}${path} HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `GET \\\\${ATTACKER}${path} HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `GET ${ATTACKER}${path} HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `GET @${ATTACKER}${path} HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `GET ${path} ${ATTACKER} HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `CONNECT ${ATTACKER}:443 HTTP/1.1\r\nHost: ${host}\r\n${end}`,
    `OPTIONS * HTTP/1.1\r\nHost: ${ATTACKER}\r\n${end}`,
    `TRACE ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Evil: ${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost: ${'a'.repeat(20_000)}.${ATTACKER}\r\n${end}`,
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${`X-A: ${ATTACKER}\r\n`.repeat(3_000)}${end}`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    `GET ${path} HTTP/9.9\r\nHost: ${ATTACKER}\r\n${end}`,
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET https://${ATTACKER}/ HTTP/1.1\r\nHost: ${ATTACKER}\r\n\r\n`,
  ];
};
