/** An HTTPS proxy before a server, which can fail in the ways in which proxies and networks do. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, fetch } from 'undici';
import { type HttpsServer, startHttpsServer } from './https-server.ts';

/** What it does with a request: pass it on, say nothing, cut it, answer by itself, or pass it on late. */
export type ProxyMode = 'pass' | 'hang' | 'cut' | 'late' | number;

/** A running proxy. */
export type FaultyProxy = HttpsServer & {
  /** What happens with requests from now on; a number is the status that it answers by itself. */
  readonly become: (mode: ProxyMode) => void;
};

const LATE_MS = 2_000;

/** Forwards POST requests to an origin. */
export const startFaultyProxy = async (target: {
  readonly url: string;
  readonly ca: string;
}): Promise<FaultyProxy> => {
  const agent = new Agent({ connect: { ca: target.ca } });
  let mode: ProxyMode = 'pass';
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await fetch(target.url + request.url, {
      method: 'POST',
      headers: { authorization: request.headers.authorization ?? '' },
      body: Buffer.concat(chunks),
      dispatcher: agent,
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  };
  const server = await startHttpsServer((request, response) => {
    if (mode === 'hang') return;
    if (mode === 'cut') return request.socket.destroy();
    if (typeof mode === 'number') return response.writeHead(mode).end();
    const wait = mode === 'late' ? delay(LATE_MS) : Promise.resolve();
    wait.then(() => pass(request, response)).catch(() => response.destroy());
  });
  return {
    ...server,
    become: (next) => {
      mode = next;
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await agent.destroy();
    },
  };
};
