import { describe, expect, it } from 'vitest';
import { type Provisioner, ProvisioningError } from './provisioner.ts';
import { createProvisionerRegistry } from './registry.ts';

const named = (name: string, onDispose = () => {}): Provisioner => ({
  name,
  ensure: () => Promise.reject(new Error('not here')),
  suspend: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  [Symbol.asyncDispose]: async () => onDispose(),
});
const registry = createProvisionerRegistry({
  provisioners: [named('local'), named('attached')],
  defaultName: 'local',
});

describe('createProvisionerRegistry', () => {
  it.each([
    ['the default, when nothing is said', null, null, 'local'],
    ['what the workspace asks for', null, 'attached', 'attached'],
    ['what was recorded, whatever the default is now', 'vcluster', null, 'vcluster'],
    ['what was recorded and is asked for', 'attached', 'attached', 'attached'],
  ])('names %s', (_name, recorded, wanted, expected) => {
    expect(registry.nameFor({ recorded, wanted })).toBe(expected);
  });

  it('never moves a control plane', () => {
    expect(() => registry.nameFor({ recorded: 'local', wanted: 'attached' })).toThrow(
      expect.objectContaining({ reason: 'ProvisionerChanged' }),
    );
  });

  it('says which one is missing, and which there are', () => {
    expect(registry.get('attached').name).toBe('attached');
    expect(() => registry.get('vcluster')).toThrow(ProvisioningError);
    expect(() => registry.get('vcluster')).toThrow(/"vcluster".*there are: local, attached/);
  });

  it('refuses a default that is not there', () => {
    const options = { provisioners: [named('local')], defaultName: 'vcluster' };
    expect(() => createProvisionerRegistry(options)).toThrow(/"vcluster".*local/);
  });

  it('disposes of all of them', async () => {
    const gone: string[] = [];
    const provisioners = ['a', 'b'].map((name) => named(name, () => gone.push(name)));
    await createProvisionerRegistry({ provisioners, defaultName: 'a' })[Symbol.asyncDispose]();
    expect(gone).toEqual(['a', 'b']);
  });
});
