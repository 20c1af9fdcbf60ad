import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findControlPlane } from './control-plane/binaries.ts';
import { buildWithGo, findOnPath } from './go.ts';

const emptyDirectory = () => mkdtempSync(join(tmpdir(), 'go-test-'));
const addProgram = (directory: string, name: string, script = '#!/bin/sh\n') => {
  writeFileSync(join(directory, name), script);
  chmodSync(join(directory, name), 0o755);
};
afterEach(() => vi.unstubAllEnvs());

describe('buildWithGo', () => {
  const build = {
    name: 'program',
    inputs: ['v1'],
    notice: 'building',
    alternative: 'set PROGRAM',
    command: (directory: string) => ({ args: [join(directory, 'program')] }),
  };

  it('says what to install or set when there is no Go', async () => {
    vi.stubEnv('PATH', emptyDirectory());
    vi.stubEnv('HEXABASE_CACHE_DIR', emptyDirectory());
    await expect(buildWithGo(build)).rejects.toThrow(/Install Go 1\.25 or later .* or set PROGRAM/);
  });

  it('builds once for the same inputs, and again for others', async () => {
    const bin = emptyDirectory();
    // Stands in for the Go tool chain only: makes a program at the path it is given, and counts.
    addProgram(bin, 'go', `#!/bin/sh\necho x >> ${bin}/builds; : > "$1"; /bin/chmod +x "$1"\n`);
    vi.stubEnv('PATH', bin);
    vi.stubEnv('HEXABASE_CACHE_DIR', emptyDirectory());
    const first = await buildWithGo(build);
    await expect(buildWithGo(build)).resolves.toBe(first);
    await expect(buildWithGo({ ...build, inputs: ['v2'] })).resolves.not.toBe(first);
  });
});

describe('findControlPlane', () => {
  it('names the program that KUBEBUILDER_ASSETS lacks', async () => {
    const assets = emptyDirectory();
    addProgram(assets, 'etcd');
    addProgram(assets, 'kube-apiserver');
    vi.stubEnv('KUBEBUILDER_ASSETS', assets);
    await expect(findControlPlane()).rejects.toThrow(/has no kube-controller-manager/);
  });

  it('takes a complete KUBEBUILDER_ASSETS as it is', async () => {
    const assets = emptyDirectory();
    for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']) {
      addProgram(assets, name);
    }
    vi.stubEnv('KUBEBUILDER_ASSETS', assets);
    await expect(findControlPlane()).resolves.toEqual({
      directory: assets,
      kubectl: join(assets, 'kubectl'),
    });
  });
});

describe('findOnPath', () => {
  it('finds what can be run, and nothing else', async () => {
    const bin = emptyDirectory();
    addProgram(bin, 'there');
    writeFileSync(join(bin, 'not-executable'), '');
    vi.stubEnv('PATH', bin);
    await expect(findOnPath('there')).resolves.toBe(join(bin, 'there'));
    await expect(findOnPath('not-executable')).resolves.toBeUndefined();
    await expect(findOnPath('nowhere')).resolves.toBeUndefined();
  });
});
