/** The vcluster provisioner as the environment describes it. */
import type { ApiServerConfiguration, Provisioner } from '../provisioner.ts';
import { argocdController } from './argocd.ts';
import { helmEnvironment, toVclusterSettings, type VclusterEnvironment } from './config.ts';
import type { ReleaseDelivery } from './delivery.ts';
import { fluxController } from './flux.ts';
import { createGitops } from './gitops.ts';
import { createHelm } from './helm.ts';
import { type Host, openHost } from './host.ts';
import type { VclusterSettings } from './settings.ts';
import { createVclusterProvisioner } from './vcluster-provisioner.ts';

/** @throws Error when a setting is missing or the host's kubeconfig can't be used */
export const openVcluster = async (
  config: VclusterEnvironment,
  configurationFor: (workspaceId: string) => ApiServerConfiguration,
): Promise<Provisioner> => {
  const settings = toVclusterSettings(config);
  const host = await openHost(config.HOST_KUBECONFIG);
  const helm = { program: config.VCLUSTER_HELM, environment: helmEnvironment(config) };
  const delivery = createDelivery(host, settings, helm);
  return createVclusterProvisioner({ host, settings, delivery, configurationFor });
};

/** What brings releases to the host by the settings. */
export const createDelivery = (
  host: Host,
  { chart, delivery }: Pick<VclusterSettings, 'chart' | 'delivery'>,
  helm: {
    readonly program: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly orphanMs?: number;
  },
): ReleaseDelivery => {
  switch (delivery.kind) {
    case 'helm':
      return createHelm({ host, chart, ...helm });
    case 'flux':
      return createGitops(host, fluxController(chart));
    case 'argocd':
      return createGitops(host, argocdController(chart, delivery));
  }
};
