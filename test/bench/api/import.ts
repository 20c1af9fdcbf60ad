/** The import of a real organisation into a workspace that has nothing yet, and once more. */
import { readFile } from 'node:fs/promises';
import { printTable } from '../measure.ts';
import { startServer } from './process.ts';
import { createWorld } from './world.ts';

/** Runs and prints the table. */
export const benchApiImport = async (): Promise<void> => {
  await using world = await createWorld();
  await using server = await startServer('./ours.ts', world.settings);
  const file = new URL('../../data/kubernetes-org-teams.json', import.meta.url);
  const { groups } = JSON.parse(await readFile(file, 'utf8')) as { groups: unknown[] };
  const headers = {
    Authorization: `Bearer ${world.admin.token}`,
    'Content-Type': 'application/json',
  };
  const body = JSON.stringify({ connector: 'github', groups });
  const send = async (): Promise<string> => {
    const start = performance.now();
    const url = `${server.url}${world.workspace.path}/imports`;
    const response = await fetch(url, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(await response.text());
    await response.text();
    return (performance.now() - start).toFixed(0);
  };
  const rows = [
    { import: 'first', ms: await send() },
    { import: 'again, nothing to do', ms: await send() },
  ];
  printTable(`import of the Kubernetes organisation, ${groups.length} groups`, rows);
};
