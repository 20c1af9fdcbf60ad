/** Every route of the API; what is not here doesn't exist. */
import * as z from 'zod';
import { attachedClusterRoutes } from './attached-clusters/routes.ts';
import { connectorRoutes } from './connectors/routes.ts';
import { diffRoutes } from './diffs/routes.ts';
import { driftRoutes } from './drift/routes.ts';
import { exportRoutes } from './exports/routes.ts';
import { federatedCredentialRoutes } from './federated-credentials/routes.ts';
import { groupMappingRoutes } from './group-mappings/routes.ts';
import { groupMemberRoutes } from './group-members/routes.ts';
import { groupRoutes } from './groups/routes.ts';
import { importRoutes } from './imports/routes.ts';
import { meRoutes } from './me/routes.ts';
import { memberRoutes } from './members/routes.ts';
import { createOpenApiDocument, withIssuer } from './openapi/document.ts';
import { organizationUserRoutes } from './organization-users/routes.ts';
import { organizationDeletionRoutes } from './organizations/deletion-routes.ts';
import { organizationRoutes } from './organizations/routes.ts';
import { planRoutes } from './plans/routes.ts';
import { projectRoleTemplateRoutes } from './project-role-templates/routes.ts';
import { projectRoleRoutes } from './project-roles/routes.ts';
import { projectRoutes } from './projects/routes.ts';
import { revocationRoutes } from './revocations/routes.ts';
import { roleAssignmentRoutes } from './role-assignments/routes.ts';
import { defineRoute, type Route } from './route.ts';
import { serviceAccountKeyRoutes } from './service-account-keys/routes.ts';
import { serviceAccountSecretRoutes } from './service-account-secrets/routes.ts';
import { serviceAccountRoutes } from './service-accounts/routes.ts';
import { taskRoutes } from './tasks/routes.ts';
import { workspaceLifeRoutes } from './workspaces/life-routes.ts';
import { workspaceRoutes } from './workspaces/routes.ts';

const openApiRoute = defineRoute({
  method: 'GET',
  path: '/v1/openapi.json',
  summary: 'Read this description',
  permission: 'public',
  responses: {
    200: { description: 'OpenAPI 3.1.', body: z.record(z.string(), z.unknown()) },
  },
  handler: async ({ context: { issuer } }) => ({
    status: 200,
    body: withIssuer(OPENAPI_DOCUMENT, issuer.url),
  }),
});

/** All routes, in the order in which they are documented. */
export const ROUTES: readonly Route[] = [
  ...meRoutes,
  ...connectorRoutes,
  ...organizationRoutes,
  ...organizationDeletionRoutes,
  ...organizationUserRoutes,
  ...planRoutes,
  ...workspaceRoutes,
  ...workspaceLifeRoutes,
  ...attachedClusterRoutes,
  ...groupRoutes,
  ...groupMemberRoutes,
  ...groupMappingRoutes,
  ...memberRoutes,
  ...revocationRoutes,
  ...serviceAccountRoutes,
  ...serviceAccountSecretRoutes,
  ...serviceAccountKeyRoutes,
  ...federatedCredentialRoutes,
  ...importRoutes,
  ...exportRoutes,
  ...projectRoutes,
  ...projectRoleTemplateRoutes,
  ...projectRoleRoutes,
  ...roleAssignmentRoutes,
  ...diffRoutes,
  ...driftRoutes,
  ...taskRoutes,
  openApiRoute,
];

/** Their description in OpenAPI 3.1. */
export const OPENAPI_DOCUMENT = createOpenApiDocument(ROUTES);
