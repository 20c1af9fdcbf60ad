/** The client that probes clusters for their trust in the issuer: its keys, and its tokens from a test issuer. */
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { createProbeTokens, type ProbeTokens } from '../../rbac-sync/trust/probe-tokens.ts';
import type { TestIssuer } from './issuer.ts';

/** A key pair on P-256, as the settings of the two services have it. */
export type ProbeKeys = { readonly publicKey: JWK; readonly privateKey: JWK };

/** Makes a key pair. */
export const createProbeKeys = async (): Promise<ProbeKeys> => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { publicKey: await exportJWK(publicKey), privateKey: await exportJWK(privateKey) };
};

/** Tokens from a test issuer that was started with the public key. */
export const probeTokensOf = (
  { issuerUrl, ca }: Pick<TestIssuer, 'issuerUrl' | 'ca'>,
  { privateKey }: Pick<ProbeKeys, 'privateKey'>,
): ProbeTokens =>
  createProbeTokens({ issuer: { url: issuerUrl, certificateAuthority: ca }, privateKey });
