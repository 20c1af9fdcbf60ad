/** An issuer of workloads' tokens over HTTPS, which plays GitHub Actions: discovery, keys, and signed tokens. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type HttpsServer, startHttpsServer } from './https-server.ts';

/** A running issuer. */
export type WorkloadIssuer = HttpsServer & {
  readonly jwks: { readonly keys: readonly object[] };
  /** Replies of its own instead of the usual ones, by path. */
  readonly answers: Map<
    string,
    { status: number; headers?: Record<string, string>; body?: string }
  >;
  /** Paths that were asked for. */
  readonly asked: string[];
  readonly sign: (claims: JWTPayload) => Promise<string>;
  /** From now on signs with a new key, and publishes both. */
  readonly rotate: () => Promise<void>;
};

/** What a job of GitHub Actions has in its token; see their reference of OpenID Connect. */
export const githubClaims = (audience: string): JWTPayload => ({
  jti: randomUUID(),
  sub: 'repo:acme/web:ref:refs/heads/main',
  aud: audience,
  ref: 'refs/heads/main',
  repository: 'acme/web',
  repository_id: '12345678',
  repository_owner: 'acme',
  repository_owner_id: '87654321',
  job_workflow_ref: 'acme/web/.github/workflows/deploy.yml@refs/heads/main',
  event_name: 'push',
});

/** Starts an issuer that signs by RS256, as GitHub's does. */
export const startWorkloadIssuer = async (): Promise<WorkloadIssuer> => {
  const answers: WorkloadIssuer['answers'] = new Map();
  const asked: string[] = [];
  const keys: object[] = [];
  const server = await startHttpsServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const metadata = { issuer: server.url, jwks_uri: `${server.url}/.well-known/jwks` };
    const usual = path.endsWith('/openid-configuration') ? metadata : { keys };
    const { status, headers = {}, body } = answers.get(path) ?? { status: 200 };
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body ?? JSON.stringify(usual));
  });
  let current: {
    readonly key: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
    readonly kid: string;
  };
  const rotate = async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    current = { key: privateKey, kid: randomUUID() };
    keys.push({ ...(await exportJWK(publicKey)), kid: current.kid, alg: 'RS256', use: 'sig' });
  };
  await rotate();
  return {
    ...server,
    jwks: { keys },
    answers,
    asked,
    rotate,
    sign: (claims) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: server.url, iat: now, nbf: now, exp: now + 300, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: current.kid, typ: 'JWT' })
        .sign(current.key);
    },
  };
};
