/** Client secrets of service accounts. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { TokenTimes, toTokenTimes } from '../schema.ts';
import { getServiceAccount } from '../service-accounts/service.ts';
import { listSecrets } from './queries.ts';
import {
  CreateServiceAccountSecret,
  ServiceAccountSecret,
  ServiceAccountSecretCreated,
  toSecret,
} from './schema.ts';
import { createSecret, removeSecret } from './service.ts';

export const serviceAccountSecretRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/secrets',
    summary: 'List the secrets of a service account, without what they are',
    permission: { workspace: 'service-account:write' },
    query: PageQuery,
    responses: {
      200: { description: 'A page.', body: pageOf(ServiceAccountSecret, 'ServiceAccountSecret') },
    },
    handler: async ({ context, access: { workspaceId }, params, query }) => {
      const accountId = params.service_account;
      await getServiceAccount(context, workspaceId, accountId);
      return answerPage(context, query, {
        read: (page) => listSecrets(context.tx, { workspaceId, accountId }, page),
        idOf: (row) => row.id,
        toItem: toSecret,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/secrets',
    summary: 'Make a secret, which is shown once',
    description:
      'With the service account’s id as client id, the secret gets tokens at the issuer’s token endpoint (`client_credentials`). Several are in force at once: make the next one, change over, and delete the old one. Where a key or the word of another issuer will do, prefer it: a secret can be copied.',
    permission: { workspace: 'service-account:write' },
    body: CreateServiceAccountSecret,
    responses: { 201: { description: 'It is in force.', body: ServiceAccountSecretCreated } },
    problems: [PROBLEMS.unprocessable],
    toKept: ({ body, ...reply }) => ({ ...reply, body: { ...body, secret: null } }),
    handler: async ({ context, access, params, body }) => {
      const input = { ...body, accountId: params.service_account };
      const { row, secret } = await createSecret(context, access, input);
      return { status: 201, body: { ...toSecret(row), secret } };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/secrets/{secret}',
    summary: 'Delete a secret',
    permission: { workspace: 'service-account:write' },
    responses: { 200: { description: 'When the last token that it got ends.', body: TokenTimes } },
    handler: async ({ context, access, params }) => {
      const { service_account: accountId, secret: secretId } = params;
      await removeSecret(context, access, { accountId, secretId });
      return { status: 200, body: toTokenTimes() };
    },
  }),
];
