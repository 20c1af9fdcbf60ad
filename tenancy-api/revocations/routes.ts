/** Revocation: what somebody can do with tokens that they already have is ended now. */
import { defineRoute } from '../route.ts';
import { Revocation, SignOut } from './schema.ts';
import { revokeAccess, revokeOwn, revokePerson } from './service.ts';

const AGAIN =
  'A new sign-in works at once: to keep somebody out, take their membership first. Clusters whose API server asks the issuer refuse the tokens that are left within 10 seconds; the others (attached clusters, vClusters) take them until they expire. Streams that are open (`exec`, `watch`, `port-forward`) and ServiceAccount tokens that the person made are not ended.';

export const revocationRoutes = [
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/members/{person}/revoke',
    summary: 'End a person’s sign-ins to the workspace, and refuse what is left of their tokens',
    description: `Also of somebody who is no member any more. ${AGAIN}`,
    permission: { workspace: 'member:write' },
    responses: { 200: { description: 'What was ended.', body: Revocation } },
    handler: async ({ context, access, params }) => ({
      status: 200,
      body: await revokeAccess(context, access, params.person),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/me/revoke',
    summary: 'Sign out everywhere: end your sessions and sign-ins, in all workspaces',
    description: `An access token of this API works until it expires, five minutes at most. ${AGAIN}`,
    permission: 'signed-in',
    responses: { 200: { description: 'What was ended.', body: SignOut } },
    handler: async ({ context }) => ({ status: 200, body: await revokeOwn(context) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/people/{person}/revoke',
    summary: 'Sign a person out everywhere: end their sessions and sign-ins, in all workspaces',
    description: `An access token of this API works until it expires, five minutes at most. ${AGAIN}`,
    permission: { platform: 'person:revoke' },
    responses: { 200: { description: 'What was ended.', body: SignOut } },
    handler: async ({ context, params }) => ({
      status: 200,
      body: await revokePerson(context, params.person),
    }),
  }),
];
