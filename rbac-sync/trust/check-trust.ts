/**
 * Whether a workspace's cluster takes the issuer's tokens, found out by showing it some: one for the
 * workspace, which it has to read as its AuthenticationConfiguration says, and one for nobody, which it has to
 * refuse. Never throws for what a cluster or the issuer does: what can't be found out is said to be unknown.
 */
import { formatId } from '#domain/identifiers.ts';
import { NOBODYS_AUDIENCE } from '#domain/probe-subject.ts';
import { createKubernetesClient } from '../cluster/kubernetes-client.ts';
import { isUnauthorized, KubernetesError } from '../cluster/kubernetes-error.ts';
import type { ControlPlane } from '../provisioners/provisioner.ts';
import type { Statement } from '../workspace/conditions.ts';
import { judgeReview, SelfSubjectReview } from './judge-review.ts';
import { IssuerUnavailableError, type ProbeTokens } from './probe-tokens.ts';

/** Where to ask. */
export type TrustTarget = Pick<ControlPlane, 'server' | 'certificateAuthority' | 'address'>;

const PATH = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const TIMEOUT_MS = 5_000;

/** @param workspaceId UUID */
export const checkTrust = async (
  tokens: ProbeTokens,
  target: TrustTarget,
  workspaceId: string,
): Promise<Statement> => {
  const audience = formatId('workspace', workspaceId);
  try {
    const token = await tokens.request(audience);
    const answer = await review(target, token);
    if (answer === 'refused') return notTrusted(audience, [REFUSED]);
    const accepted = await review(target, await tokens.request(NOBODYS_AUDIENCE));
    const faults = judgeReview(answer, audience);
    if (accepted !== 'refused') faults.push(WRONG_AUDIENCE);
    return faults.length === 0 ? VERIFIED : notTrusted(audience, faults);
  } catch (error) {
    return toUnknown(error);
  }
};

const REFUSED =
  'It refuses the issuer’s tokens (401): it has no AuthenticationConfiguration for this workspace, or can’t reach the issuer for its keys, or does not trust the issuer’s certificate.';
const WRONG_AUDIENCE =
  'It accepts a token for another audience: issuer.audiences must name this workspace alone.';

const VERIFIED: Statement = {
  type: 'TrustsIssuer',
  status: 'True',
  reason: 'Verified',
  message:
    'The API server took a token of the issuer for this workspace, read it as it should, and refused one for another audience.',
};

const notTrusted = (audience: string, faults: readonly string[]): Statement => ({
  type: 'TrustsIssuer',
  status: 'False',
  reason: 'NotTrusted',
  message: `The API server does not trust the issuer as it should. ${faults.join(' ')} Start it with --authentication-config and what GET /v1/workspaces/${audience}/authentication-configuration answers; it is looked at again by itself.`,
});

/** What is said when it can’t be found out. */
export const toUnknown = (error: unknown): Statement => {
  const base = { type: 'TrustsIssuer', status: 'Unknown' } as const;
  if (error instanceof IssuerUnavailableError) {
    const message = `${error.message} What is in the cluster is kept in order meanwhile, and it is tried again.`;
    return { ...base, reason: 'IssuerUnavailable', message };
  }
  const said = error instanceof KubernetesError ? ` (${error.status} ${error.reason})` : '';
  const message = `The API server did not say how it reads the issuer’s token${said}; it is asked again.`;
  return { ...base, reason: 'NotVerifiable', message };
};

/** How a cluster reads a token, by SelfSubjectReview. @throws when it doesn't answer */
export const review = async (
  { server, certificateAuthority, address }: TrustTarget,
  token: string,
): Promise<SelfSubjectReview | 'refused'> => {
  const client = createKubernetesClient({
    server,
    certificateAuthority,
    address,
    credential: { token: () => token },
  });
  try {
    const answer = await client.request(PATH, {
      method: 'POST',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return SelfSubjectReview.parse(answer);
  } catch (error) {
    if (isUnauthorized(error)) return 'refused';
    throw error;
  } finally {
    await client[Symbol.asyncDispose]();
  }
};
