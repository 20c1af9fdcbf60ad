/** helm for the tests: `HELM`, or helm from the PATH, or one built with Go. */
import { buildWithGo, findOnPath } from '../../quickstart/go.ts';

const MODULE = 'helm.sh/helm/v3/cmd/helm@v3.22.0';

/**
 * The path of a helm program.
 *
 * @throws when there is none and no Go to build it with, saying what to install or set
 */
export const findHelm = async (): Promise<string> =>
  process.env['HELM'] ??
  (await findOnPath('helm')) ??
  buildWithGo({
    name: 'helm',
    inputs: [MODULE],
    notice: `Building ${MODULE}; once, about a minute …`,
    alternative: 'put helm on the PATH, or set HELM',
    command: (directory) => ({
      args: ['install', '-ldflags', '-s -w', MODULE],
      env: { GOBIN: directory },
    }),
  });
