/** An HTTPS proxy before a service that notes the secrets of everything that goes through it. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { startHttpsServer } from '../https-server.ts';
import { type Message, secretsOf } from './wire-secrets.ts';

/** A running recorder. */
export type Recorder = AsyncDisposable & {
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
  /** Everything so far, each once. */
  readonly secrets: Set<string>;
  /** How many requests there have been. */
  readonly count: () => number;
};

/** @param target origin of the service, asked with the Host that the recorder is asked with */
export const startRecorder = async (target: () => string): Promise<Recorder> => {
  const secrets = new Set<string>();
  let count = 0;
  const note = (message: Message) => {
    for (const secret of secretsOf(message)) secrets.add(secret);
  };
  const server = await startHttpsServer((request, response) => {
    count += 1;
    relay({ request, response, target: target(), note }).catch((error: unknown) =>
      response.destroy(error as Error),
    );
  });
  return { ...server, secrets, count: () => count };
};

type Relayed = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: string;
  readonly note: (message: Message) => void;
};

const relay = async ({ request, response, target, note }: Relayed): Promise<void> => {
  const body = Buffer.concat(await request.toArray());
  note({ target: request.url ?? '/', headers: request.headers, body: body.toString() });
  const answer = await send(target, request, body);
  const content = Buffer.concat(await answer.toArray());
  note({ headers: answer.headers, body: content.toString() });
  response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  response.end(content);
};

const send = (target: string, { url, method, rawHeaders }: IncomingMessage, body: Buffer) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const origin = new URL(target);
    const options = {
      ...{ host: origin.hostname, port: origin.port, path: url, method, setHost: false },
      // The service's certificate is for the recorder's name; what is tested here is its logs.
      ...{ headers: rawHeaders, agent: false, rejectUnauthorized: false },
    };
    const sent = origin.protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
    sent.on('response', resolve).on('error', reject).end(body);
  });
