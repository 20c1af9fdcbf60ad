import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { openLetter, sealLetter } from './sealed-letter.ts';

const pair = async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { open: await exportJWK(publicKey), secret: await exportJWK(privateKey) };
};
const [ours, others] = await Promise.all([pair(), pair()]);

describe('a sealed letter', () => {
  it('is opened by its receiver', async () => {
    const letter = await sealLetter(ours.open, 'kubeconfig:a', 'secret');
    expect(letter).not.toContain('secret');
    expect(await openLetter(ours.secret, 'kubeconfig:a', letter)).toBe('secret');
  });

  it.each([
    ['by another', () => [others.secret, 'kubeconfig:a'] as const],
    ['for another purpose', () => [ours.secret, 'kubeconfig:b'] as const],
    ['by who sealed it', () => [ours.open, 'kubeconfig:a'] as const],
  ])('is not opened %s', async (_name, arrange) => {
    const letter = await sealLetter(ours.open, 'kubeconfig:a', 'secret');
    const [key, purpose] = arrange();
    await expect(openLetter(key, purpose, letter)).rejects.toThrow();
  });

  it('is not opened when it was changed', async () => {
    const letter = await sealLetter(ours.open, 'a', 'secret');
    const parts = letter.split('.');
    parts[3] = Buffer.from('forged').toString('base64url');
    await expect(openLetter(ours.secret, 'a', parts.join('.'))).rejects.toThrow();
  });
});
