/** The OpenAPI document against the running API: thousands of requests, good and bad. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { furnish } from '../../support/furnished-workspace.ts';
import { runSchemathesis } from '../../support/schemathesis.ts';
import { PLATFORM_ADMIN, startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

it('is true: no fault, no undocumented status, header or body, and nothing let in that it forbids', async () => {
  const admin = await api.signUp('admin');
  await api.database.query(
    'INSERT INTO identity (connector, subject, person_id) VALUES ($1, $2, $3)',
    [PLATFORM_ADMIN.connector, PLATFORM_ADMIN.subject, admin.id],
  );
  const parameters = await furnish(api, admin, {
    workspace: await api.createWorkspace(admin),
    name: 'kept',
  });
  const spare = await furnish(api, admin, {
    workspace: await api.createWorkspace(admin),
    name: 'spare',
  });
  const { code, output } = await runSchemathesis({
    url: `${api.url}/v1/openapi.json`,
    token: admin.token,
    parameters,
    spare,
    maxExamples: 10,
    seed: 1,
  });
  expect(code, output).toBe(0);
}, 600_000);
