/** Federated credentials of service accounts: workload identity. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { TokenTimes, toTokenTimes } from '../schema.ts';
import { getServiceAccount } from '../service-accounts/service.ts';
import { listFederatedCredentials } from './queries.ts';
import { CreateFederatedCredential, FederatedCredential, toFederatedCredential } from './schema.ts';
import { createFederatedCredential, removeFederatedCredential } from './service.ts';

export const federatedCredentialRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/federated-credentials',
    summary: 'List whose tokens of other issuers are a service account’s',
    permission: { workspace: 'service-account:write' },
    query: PageQuery,
    responses: {
      200: { description: 'A page.', body: pageOf(FederatedCredential, 'FederatedCredential') },
    },
    handler: async ({ context, access: { workspaceId }, params, query }) => {
      const accountId = params.service_account;
      await getServiceAccount(context, workspaceId, accountId);
      return answerPage(context, query, {
        read: (page) => listFederatedCredentials(context.tx, { workspaceId, accountId }, page),
        idOf: (row) => row.id,
        toItem: toFederatedCredential,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/federated-credentials',
    summary: 'Trust an issuer’s tokens of certain claims',
    description:
      'Workload identity: whoever brings a token of this issuer with these claims to the token endpoint (RFC 8693) gets a token of the service account. So a GitHub Actions job, or a pod of another cluster, needs no secret of ours.',
    permission: { workspace: 'service-account:write' },
    body: CreateFederatedCredential,
    responses: { 201: { description: 'It is in force.', body: FederatedCredential } },
    problems: [PROBLEMS.unprocessable],
    handler: async ({ context, access, params, body }) => {
      const input = { ...body, accountId: params.service_account };
      const row = await createFederatedCredential(context, access, input);
      return { status: 201, body: toFederatedCredential(row) };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/federated-credentials/{federated_credential}',
    summary: 'Trust these tokens no more',
    permission: { workspace: 'service-account:write' },
    responses: { 200: { description: 'When the last token that it got ends.', body: TokenTimes } },
    handler: async ({ context, access, params }) => {
      await removeFederatedCredential(context, access, {
        accountId: params.service_account,
        credentialId: params.federated_credential,
      });
      return { status: 200, body: toTokenTimes() };
    },
  }),
];
