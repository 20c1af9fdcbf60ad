/**
 * Takes what API servers tell about writes. Each has a token for its own workspace's path only, so that
 * none speaks for another; what one sends is kept for a while and joined to the drift it explains.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parseId } from '#domain/identifiers.ts';
import type { Logger } from '#runtime/log.ts';
import { type ClusterWrite, readClusterWrites } from './audit-events.ts';
import { isAuditToken } from './audit-token.ts';

/** What {@link createAuditReceiver} needs. */
export type AuditReceiverOptions = {
  /** 32 bytes each, of any of which a token may be made; see audit-token.ts. */
  readonly keys: readonly Buffer[];
  /** @param workspaceId UUID, proven by its token */
  readonly onWrites: (workspaceId: string, writes: readonly ClusterWrite[]) => Promise<void>;
  readonly log: Logger;
};

/** Batches are cut at 7 MiB by the API server's own flags; see AUDIT_FLAGS. */
const LONGEST_BODY = 8 * 1024 * 1024;

const PATH = /^\/v1\/audit\/([^/?]+)(?:\?.*)?$/;

/** Answers `POST /v1/audit/{workspace}`: 200 when it is kept, 401 to a wrong token, 413 and 400 to nonsense. */
export const createAuditReceiver =
  (options: AuditReceiverOptions): RequestListener =>
  (request, response) => {
    receive(options, request).then(
      (status) => answer(response, status),
      (error: unknown) => {
        // The API server sends the batch again after a 5xx.
        options.log.warn({ err: error }, 'audit events could not be taken');
        answer(response, 503);
      },
    );
  };

const answer = (response: ServerResponse, status: number): void => {
  // What was not read of the body must not be taken for the next request.
  if (status === 401 || status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'text/plain' }).end();
};

const receive = async (
  { keys, onWrites }: AuditReceiverOptions,
  request: IncomingMessage,
): Promise<number> => {
  const [, id = ''] = PATH.exec(request.url ?? '') ?? [];
  const workspaceId = parseId('workspace', id);
  // The same answer for a workspace that is not there: its token is just another one that is wrong.
  const { authorization } = request.headers;
  const isTheirs = keys.some((key) => workspaceId && isAuditToken(key, workspaceId, authorization));
  if (!workspaceId || !isTheirs) return 401;
  if (request.method !== 'POST') return 405;
  const body = await readBody(request);
  if (body === undefined) return 413;
  const writes = readClusterWrites(parse(body));
  if (!writes) return 400;
  if (writes.length > 0) await onWrites(workspaceId, writes);
  return 200;
};

const readBody = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const parse = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};
