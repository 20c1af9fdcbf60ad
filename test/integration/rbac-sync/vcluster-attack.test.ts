/** Every attack once more, against a vCluster on a host. */
import { attackPlanesOf } from '../../support/attacks/planes.ts';
import { startTestHost } from '../../support/vcluster-host.ts';

attackPlanesOf(async () => {
  const host = await startTestHost();
  return Object.assign(host, { provisioner: await host.provisionerWith() });
});
await import('./attack.test.ts');
