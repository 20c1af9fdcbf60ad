/**
 * From the API's commit to the verified change in the cluster: an assignment given and removed, one
 * after the other, in an idle workspace. The floor is a write to the same API server by plain HTTPS.
 */
import type { ApiClient } from '../../quickstart/api-client.ts';
import { createPerson } from '../../quickstart/person.ts';
import { startStack } from '../../quickstart/stack.ts';
import { printTable, summarize } from './measure.ts';

const ROUNDS = 200;

/** Runs and prints the table. */
export const benchPropagation = async (): Promise<void> => {
  const password = 'benchmark-only';
  await using stack = await startStack({
    accounts: [{ subject: 'ada', name: 'Ada' }],
    password,
    notify: () => {},
  });
  const { api } = createPerson(stack, { username: 'ada', password });
  const workspace = await createWorkspace(api, 'Bench');
  const base = `/v1/workspaces/${workspace}`;
  const project = await api.request('POST', `${base}/projects`, { name: 'bench' });
  const { project: created, task } = project.body as {
    project: { id: string };
    task: { id: string };
  };
  await api.untilEnded(task.id);
  const groups = await api.request('GET', `${base}/groups`);
  const group = (groups.body as { items: { id: string; name: string }[] }).items.find(
    ({ name }) => name === 'WSUsers',
  )?.id;
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const given = await api.request('POST', `${base}/role-assignments`, {
      group,
      project: created.id,
      preset_role: 'workspace-viewer',
    });
    const answer = given.body as { role_assignment: { id: string }; task: { id: string } };
    samples.push(elapsed(await api.untilEnded(answer.task.id)));
    const path = `${base}/role-assignments/${answer.role_assignment.id}`;
    const removed = await api.request('DELETE', path);
    samples.push(elapsed(await api.untilEnded((removed.body as { task: { id: string } }).task.id)));
  }
  const { p50, p99 } = summarize(samples);
  printTable('from commit to verified in the cluster, idle workspace', [
    { changes: samples.length, 'p50 ms': p50.toFixed(0), 'p99 ms': p99.toFixed(0) },
  ]);
};

const elapsed = ({ created_at, finished_at }: { created_at: string; finished_at: string | null }) =>
  Date.parse(finished_at ?? '') - Date.parse(created_at);

const createWorkspace = async (api: ApiClient, name: string): Promise<string> => {
  const me = (await api.request('GET', '/v1/me')).body as { organizations: { id: string }[] };
  const path = `/v1/organizations/${me.organizations[0]?.id}/workspaces`;
  const { body } = await api.request('POST', path, { name, plan: 'starter' });
  const { workspace, task } = body as { workspace: { id: string }; task: { id: string } };
  await api.untilEnded(task.id);
  return workspace.id;
};
