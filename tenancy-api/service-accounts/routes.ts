/** Service accounts: the machines of a workspace. */
import { formatId } from '#domain/identifiers.ts';
import { answerSortedPage, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { TokenTimes, toTokenTimes } from '../schema.ts';
import { listServiceAccounts } from './queries.ts';
import {
  CreateServiceAccount,
  ServiceAccount,
  ServiceAccountDetail,
  ServiceAccountQuery,
  toServiceAccount,
  UpdateServiceAccount,
} from './schema.ts';
import {
  createServiceAccount,
  describeServiceAccount,
  getServiceAccount,
  removeServiceAccount,
  renameServiceAccount,
} from './service.ts';

export const serviceAccountRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/service-accounts',
    summary: 'List the service accounts of a workspace',
    permission: { workspace: 'service-account:read' },
    query: ServiceAccountQuery,
    responses: { 200: { description: 'A page.', body: pageOf(ServiceAccount, 'ServiceAccount') } },
    handler: ({ context, access: { workspaceId }, query }) =>
      answerSortedPage(context, query, {
        read: (page) =>
          listServiceAccounts(context.tx, { workspaceId, name: query.name ?? null }, page),
        positionOf: (row) => row,
        toItem: toServiceAccount,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/service-accounts',
    summary: 'Create a service account',
    permission: { workspace: 'service-account:write' },
    body: CreateServiceAccount,
    responses: {
      201: {
        description: 'The service account; put it into groups next.',
        body: ServiceAccount,
        headers: { Location: 'The service account.', ...etagHeaders },
      },
    },
    problems: [PROBLEMS.alreadyExists],
    handler: async ({ context, access, body }) => {
      const row = await createServiceAccount(context, access, body);
      const account = toServiceAccount(row);
      const workspace = formatId('workspace', access.workspaceId);
      const Location = `/v1/workspaces/${workspace}/service-accounts/${account.id}`;
      return { status: 201, body: account, headers: { Location, ...versionHeaders(row.version) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}',
    summary: 'Read a service account with its direct and effective groups',
    permission: { workspace: 'service-account:read' },
    responses: {
      200: {
        description: 'The service account.',
        body: ServiceAccountDetail,
        headers: etagHeaders,
      },
    },
    handler: async ({ context, access: { workspaceId }, params }) => {
      const row = await getServiceAccount(context, workspaceId, params.service_account);
      const body = await describeServiceAccount(context, workspaceId, row);
      return { status: 200, body, headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}',
    summary: 'Give a service account another display name',
    permission: { workspace: 'service-account:write' },
    body: UpdateServiceAccount,
    ifMatch: true,
    responses: {
      200: { description: 'The service account.', body: ServiceAccount, headers: etagHeaders },
    },
    handler: async ({ context, access, params, body }) => {
      const update = { id: params.service_account, change: body };
      const row = await renameServiceAccount(context, access, update);
      return { status: 200, body: toServiceAccount(row), headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/service-accounts/{service_account}',
    summary: 'Delete a service account and take it out of all its groups',
    permission: { workspace: 'service-account:write' },
    responses: { 200: { description: 'When this shows in tokens.', body: TokenTimes } },
    handler: async ({ context, access, params }) => {
      await removeServiceAccount(context, access, params.service_account);
      return { status: 200, body: toTokenTimes() };
    },
  }),
];
