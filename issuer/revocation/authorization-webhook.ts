/**
 * The authorization webhook of workspaces' clusters (SubjectAccessReview, authorization.k8s.io/v1): a no for
 * tokens of a sign-in that was ended, and otherwise no opinion; never a yes. Before everything else that the
 * issuer does, and without a database, because a cluster waits for it: what can't be answered has no opinion
 * at once, since kube-apiserver repeats a request that failed and waits the longer (docs/decisions).
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Counter, type Registry } from 'prom-client';
import * as z from 'zod';
import { GRANT_EXTRA } from '#domain/authentication-configuration.ts';
import { parseId } from '#domain/identifiers.ts';
import { isAuthorizationToken } from '#runtime/authorization-token.ts';
import type { Logger } from '#runtime/log.ts';
import type { Denials } from './denials.ts';

/** What {@link answerAuthorization} needs; without denials or key every caller is refused. */
export type AuthorizationDeps = {
  readonly denials?: Denials | undefined;
  /** 32 bytes, shared with rbac-sync. */
  readonly key: Buffer | undefined;
  readonly metrics: Registry;
  readonly log: Logger;
};

/** kube-apiserver adds a query, in which it says how long it waits. */
const PATH = /^\/authorization\/([^/?]+)(?:\?.*)?$/;
const MAX_BYTES = 1 << 20;
/** Less than the 500 ms for which a cluster waits, and than the 300 ms that are promised. */
const PATIENCE_MS = 250;

const DENIED =
  'This sign-in has been ended: sign in again. A token that kubectl still keeps from it expires within two minutes.';

const Review = z.object({
  spec: z.object({ extra: z.record(z.string(), z.array(z.string())).optional() }),
});

/** Answers clusters; everything else goes on to the other listener. */
export const answerAuthorization = (
  deps: AuthorizationDeps,
  otherwise: RequestListener,
): RequestListener => {
  const answers = new Counter({
    name: 'authorization_reviews_total',
    help: 'Questions of clusters about a token, by answer: denied, none, refused (no such caller), failed.',
    labelNames: ['answer'],
    registers: [deps.metrics],
  });
  return (request, response) => {
    if (!request.url?.startsWith('/authorization/')) return otherwise(request, response);
    const workspace = identify(deps, request);
    if (workspace === undefined) {
      answers.inc({ answer: 'refused' });
      request.resume();
      return end(response, 401, { message: 'This is for clusters, each with a token of its own.' });
    }
    review(deps, workspace, request).then(
      (denied) => {
        answers.inc({ answer: denied ? 'denied' : 'none' });
        end(response, 200, toReview(denied));
      },
      (error: unknown) => {
        answers.inc({ answer: 'failed' });
        const reason = error instanceof Error ? error.message : String(error);
        deps.log.warn({ workspace, reason }, 'a cluster got no opinion');
        end(response, 200, toReview(false));
        request.resume();
      },
    );
  };
};

/** The workspace whose cluster asks. */
const identify = ({ key, denials }: AuthorizationDeps, request: IncomingMessage) => {
  const workspace = PATH.exec(request.url ?? '')?.[1] ?? '';
  const isCaller =
    key !== undefined &&
    denials !== undefined &&
    request.method === 'POST' &&
    parseId('workspace', workspace) !== undefined &&
    isAuthorizationToken(key, workspace, request.headers.authorization);
  return isCaller ? workspace : undefined;
};

const review = async (
  { denials }: AuthorizationDeps,
  workspace: string,
  request: IncomingMessage,
): Promise<boolean> => {
  const { spec } = Review.parse(JSON.parse(await readBody(request)));
  const grants = spec.extra?.[GRANT_EXTRA] ?? [];
  return grants.some((grant) => denials?.has(workspace, grant));
};

/** @throws when it is too long, or not there in time */
const readBody = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const late = setTimeout(() => reject(new Error('the question took too long')), PATIENCE_MS);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BYTES) chunks.push(chunk);
      else reject(new Error('the question is too long'));
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString()));
    request.once('error', reject);
    request.once('close', () => clearTimeout(late));
  });

const toReview = (denied: boolean): object => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  status: denied ? { allowed: false, denied: true, reason: DENIED } : { allowed: false },
});

const end = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
};
