/** What a cluster's answer to a probe says about its trust in the issuer. */
import * as z from 'zod';
import { WORKSPACE_EXTRA } from '#domain/authentication-configuration.ts';
import { KUBERNETES_PREFIX } from '#domain/group-name.ts';
import { toProbeSubject } from '#domain/probe-subject.ts';

/** A SelfSubjectReview (authentication.k8s.io/v1), as far as it is looked at. */
export const SelfSubjectReview = z.object({
  status: z.object({
    userInfo: z.object({
      username: z.string().default(''),
      uid: z.string().default(''),
      groups: z.array(z.string()).default([]),
      extra: z.record(z.string(), z.array(z.string())).default({}),
    }),
  }),
});
export type SelfSubjectReview = z.infer<typeof SelfSubjectReview>;

const LONGEST_VALUE = 100;

/**
 * What is wrong with how the cluster reads our token, each in a sentence; nothing when it reads it as the
 * AuthenticationConfiguration of the workspace says.
 *
 * @param audience public identifier of the workspace
 */
export const judgeReview = (review: SelfSubjectReview, audience: string): string[] => {
  const { username, uid, groups, extra } = review.status.userInfo;
  const subject = toProbeSubject(audience);
  const others = groups.filter((group) => group !== 'system:authenticated');
  const workspaces = extra[WORKSPACE_EXTRA] ?? [];
  return [
    username !== `${KUBERNETES_PREFIX}${subject}` &&
      `It calls the token’s subject ${quote(username)} instead of "${KUBERNETES_PREFIX}${subject}": claimMappings.username must take the claim "sub" with the prefix "${KUBERNETES_PREFIX}".`,
    uid !== subject &&
      `It gives the uid ${quote(uid)} instead of "${subject}": claimMappings.uid must take the claim "sub".`,
    others.length > 0 &&
      `It puts a token without groups into ${others.slice(0, 3).map(quote).join(', ')}: claimMappings.groups must take nothing but the claim "groups".`,
    !(workspaces.length === 1 && workspaces[0] === audience) &&
      `It does not say which workspace the user is of: claimMappings.extra must set "${WORKSPACE_EXTRA}" to '${audience}'.`,
  ].filter((fault) => fault !== false);
};

const quote = (text: string): string => JSON.stringify(text.slice(0, LONGEST_VALUE));
