/** The OpenAPI document against the running API: thousands of requests, good and bad. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runSchemathesis } from '../../support/schemathesis.ts';
import { startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

it('is true: no fault, no undocumented status, header or body, and nothing let in that it forbids', async () => {
  const admin = await api.signUp('admin');
  const { code, output } = await runSchemathesis({
    url: `${api.url}/v1/openapi.json`,
    token: admin.token,
    maxExamples: 20,
    seed: 1,
  });
  expect(code, output).toBe(0);
}, 600_000);
