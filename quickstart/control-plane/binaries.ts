/**
 * The Kubernetes programs that the local provisioner runs: from `KUBEBUILDER_ASSETS` as
 * setup-envtest lays it out, or built here from the Go module beside this file.
 */
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWithGo, findOnPath, isExecutable } from '../go.ts';

const DIRECTORY = fileURLToPath(new URL('.', import.meta.url));
const VERSION = '1.35.4';
const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;

/** A directory that holds `etcd`, `kube-apiserver`, `kube-controller-manager` and `kubectl`. */
export type ControlPlaneBinaries = { readonly directory: string; readonly kubectl: string };

/**
 * Finds or builds the programs (4 to 5 minutes on two cores the first time, then cached).
 *
 * @throws when `KUBEBUILDER_ASSETS` lacks one of them, or when there is no Go to build with
 */
export const findControlPlane = async (): Promise<ControlPlaneBinaries> => {
  const directory = process.env['KUBEBUILDER_ASSETS'] ?? (await buildControlPlane());
  for (const program of PROGRAMS.slice(0, 3)) {
    if (!(await isExecutable(join(directory, program)))) {
      throw new Error(
        `KUBEBUILDER_ASSETS (${directory}) has no ${program}. The control planes need etcd, kube-apiserver and kube-controller-manager; ` +
          'setup-envtest brings the first two: add the third of the same version, or unset KUBEBUILDER_ASSETS to build all of them with Go.',
      );
    }
  }
  return { directory, kubectl: await findKubectl(directory) };
};

const findKubectl = async (directory: string): Promise<string> => {
  const bundled = join(directory, 'kubectl');
  if (await isExecutable(bundled)) return bundled;
  const installed = await findOnPath('kubectl');
  if (installed) return installed;
  throw new Error(`There is no kubectl in ${directory} nor on the PATH. Install kubectl.`);
};

const buildControlPlane = async (): Promise<string> => {
  const [major, minor] = VERSION.split('.');
  const flags = Object.entries({ gitVersion: `v${VERSION}`, gitMajor: major, gitMinor: minor });
  const program = await buildWithGo({
    name: 'control-plane',
    inputs: await Promise.all(
      ['go.mod', 'go.sum', 'main.go', 'binaries.ts'].map((name) =>
        readFile(join(DIRECTORY, name), 'utf8'),
      ),
    ),
    notice: `Building the Kubernetes ${VERSION} control plane; once, about 5 minutes on two cores …`,
    alternative:
      'set KUBEBUILDER_ASSETS to a directory with etcd, kube-apiserver, kube-controller-manager and kubectl',
    command: (directory) => ({
      cwd: DIRECTORY,
      args: [
        'build',
        '-trimpath',
        '-ldflags',
        // Clients refuse an API server that does not say its version.
        `-s -w ${flags.map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`).join(' ')}`,
        '-o',
        join(directory, 'control-plane'),
        '.',
      ],
    }),
  });
  for (const name of PROGRAMS) {
    await symlink(program, join(dirname(program), name)).catch(ignoreExisting);
  }
  return dirname(program);
};

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};
