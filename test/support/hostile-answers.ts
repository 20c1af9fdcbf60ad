/** Ways in which a server can fail to answer as HTTP clients hope. */
import type { ServerResponse } from 'node:http';

/** How a request is answered instead of properly. */
export type Misanswer =
  | 'rubbish'
  | 'html'
  | 'empty'
  | 'array'
  | 'null'
  | 'huge'
  | 'drip'
  | 'hang'
  | 'redirect'
  | 'status 400'
  | 'status 500'
  | 'status 503'
  | 'reset';

/** All of them, for tables of tests. */
export const MISANSWERS: readonly Misanswer[] = [
  'rubbish',
  'html',
  'empty',
  'array',
  'null',
  'huge',
  'drip',
  'hang',
  'redirect',
  'status 400',
  'status 500',
  'status 503',
  'reset',
];

const HUGE_BYTES = 10 << 20;
const DRIP_MS = 200;

/** Answers so; `drip` and `hang` last until the other side, or the server, closes the connection. */
export const answerBadly = (response: ServerResponse, how: Misanswer): void => {
  const json = (status: number, body: string) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  if (how === 'rubbish') json(200, '\u0000{"not json');
  else if (how === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<script>alert(1)</script>');
  } else if (how === 'empty') json(200, '');
  else if (how === 'array') json(200, '[7]');
  else if (how === 'null') json(200, 'null');
  else if (how === 'huge') json(200, JSON.stringify({ padding: 'x'.repeat(HUGE_BYTES) }));
  else if (how === 'drip') drip(response);
  else if (how === 'redirect') response.writeHead(302, { location: REDIRECT_TARGET }).end();
  else if (how === 'reset') response.socket?.destroy();
  else if (how !== 'hang') {
    json(Number(how.slice('status '.length)), '{"error":"<script>alert(1)</script>"}');
  }
};

/** Where `redirect` points: into the machine that asks, as a forged request would. */
export const REDIRECT_TARGET = 'http://127.0.0.1:1/latest/meta-data';

const drip = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{');
  const timer = setInterval(() => response.write(' '), DRIP_MS);
  response.once('close', () => clearInterval(timer));
};
