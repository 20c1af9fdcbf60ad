/** Public keys of service accounts. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { TokenTimes, toTokenTimes } from '../schema.ts';
import { getServiceAccount } from '../service-accounts/service.ts';
import { listKeys } from './queries.ts';
import { CreateServiceAccountKey, ServiceAccountKey, toKey } from './schema.ts';
import { createKey, removeKey } from './service.ts';

export const serviceAccountKeyRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/keys',
    summary: 'List the public keys of a service account',
    permission: { workspace: 'service-account:write' },
    query: PageQuery,
    responses: {
      200: { description: 'A page.', body: pageOf(ServiceAccountKey, 'ServiceAccountKey') },
    },
    handler: async ({ context, access: { workspaceId }, params, query }) => {
      const accountId = params.service_account;
      await getServiceAccount(context, workspaceId, accountId);
      return answerPage(context, query, {
        read: (page) => listKeys(context.tx, { workspaceId, accountId }, page),
        idOf: (row) => row.id,
        toItem: toKey,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/keys',
    summary: 'Add a public key',
    description:
      'Whoever has its private half signs short assertions (`private_key_jwt`, RFC 7523) with it and gets tokens at the issuer’s token endpoint. The private half never leaves its owner.',
    permission: { workspace: 'service-account:write' },
    body: CreateServiceAccountKey,
    responses: { 201: { description: 'It is in force.', body: ServiceAccountKey } },
    problems: [PROBLEMS.unprocessable, PROBLEMS.alreadyExists],
    handler: async ({ context, access, params, body }) => {
      const row = await createKey(context, access, { ...body, accountId: params.service_account });
      return { status: 201, body: toKey(row) };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}/keys/{key}',
    summary: 'Delete a key',
    permission: { workspace: 'service-account:write' },
    responses: { 200: { description: 'When the last token that it got ends.', body: TokenTimes } },
    handler: async ({ context, access, params }) => {
      await removeKey(context, access, {
        accountId: params.service_account,
        keyId: params.key,
      });
      return { status: 200, body: toTokenTimes() };
    },
  }),
];
