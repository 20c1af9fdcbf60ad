import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from '#runtime/addresses.ts';
import { resolveServer } from './addresses.ts';

const isAllowed = createAddressPolicy([]);

describe('createAddressPolicy', () => {
  it.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '172.32.0.1'])('allows %s', (address) => {
    expect(isAllowed(address)).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '168.63.129.16',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fe80::1',
    'fd00:ec2::254',
    '2002:7f00:1::',
    'not-an-address',
  ])('refuses %s', (address) => {
    expect(isAllowed(address)).toBe(false);
  });

  it('allows what the settings name, and nothing beside it', () => {
    const loopback = createAddressPolicy(['127.0.0.0/8', 'fd00::/8']);
    expect(['127.0.0.1', 'fd00::1', '10.0.0.1', '::1'].map(loopback)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('resolveServer', () => {
  it.each([
    'https://127.0.0.1:6443',
    'https://[::1]:6443',
    'https://localhost',
    // The forms that URLs take for 127.0.0.1.
    'https://2130706433',
    'https://0x7f.1',
  ])('refuses %s', async (server) => {
    const attempt = resolveServer(new URL(server).origin, isAllowed);
    await expect(attempt).rejects.toMatchObject({ reason: 'AddressNotAllowed' });
  });

  it('answers the address that it judged', async () => {
    expect(await resolveServer('https://8.8.8.8', isAllowed)).toBe('8.8.8.8');
  });
});
