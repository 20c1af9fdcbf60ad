/** Service accounts and what they prove themselves by, put into the database as the API would. */
import { createHash, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { createId, formatId } from '#domain/identifiers.ts';
import type { TestDatabase } from '../../support/database.ts';

/** A service account in the database. */
export type TestMachine = {
  readonly id: string;
  readonly clientId: string;
  readonly join: (groupId: string, expiresAt?: Date) => Promise<void>;
  /** @returns a secret; by default it ends in an hour */
  readonly addSecret: (expiresAt?: Date) => Promise<string>;
  /** @returns the private key */
  readonly addKey: (algorithm?: string, expiresAt?: Date) => Promise<JWK>;
  readonly trust: (credential: TestCredential) => Promise<string>;
};

/** Whose tokens are a service account's. */
export type TestCredential = {
  readonly issuer: string;
  readonly audience: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly jwks?: object;
  readonly singleUse?: boolean;
};

/** Makes a service account in a workspace (UUID). */
export const createMachine = async (
  { query }: Pick<TestDatabase, 'query'>,
  workspaceId: string,
): Promise<TestMachine> => {
  const id = createId();
  await query(
    'INSERT INTO service_account (id, workspace_id, name, display_name) VALUES ($1, $2, $3, $4)',
    [id, workspaceId, `bot-${id.slice(-12)}`, 'Deploys'],
  );
  return {
    id,
    clientId: formatId('serviceAccount', id),
    join: async (groupId, expiresAt) => {
      await query(
        `INSERT INTO group_service_account (workspace_id, service_account_id, group_id, expires_at)
         VALUES ($1, $2, $3, $4)`,
        [workspaceId, id, groupId, expiresAt ?? null],
      );
    },
    addSecret: async (expiresAt = new Date(Date.now() + 3_600_000)) => {
      const secret = `hxb_${randomBytes(32).toString('base64url')}`;
      await query(
        `INSERT INTO service_account_secret (id, workspace_id, service_account_id, hash, hint, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [
          ...[createId(), workspaceId, id, createHash('sha256').update(secret).digest()],
          ...[secret.slice(-4), expiresAt],
        ],
      );
      return secret;
    },
    addKey: async (algorithm = 'ES256', expiresAt) => {
      const pair = await generateKeyPair(algorithm, { extractable: true });
      const [jwk, privateKey] = [await exportJWK(pair.publicKey), await exportJWK(pair.privateKey)];
      const kid = await calculateJwkThumbprint(jwk);
      await query(
        `INSERT INTO service_account_key (id, workspace_id, service_account_id, jwk, thumbprint, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [
          ...[createId(), workspaceId, id, { ...jwk, kid, alg: algorithm, use: 'sig' }, kid],
          expiresAt ?? null,
        ],
      );
      return { ...privateKey, kid, alg: algorithm };
    },
    trust: async ({ issuer, audience, claims, jwks, singleUse = false }) => {
      const credentialId = createId();
      await query(
        `INSERT INTO federated_credential (
           id, workspace_id, service_account_id, issuer, audience, claims, jwks, single_use
         ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [credentialId, workspaceId, id, issuer, audience, claims, jwks ?? null, singleUse],
      );
      return credentialId;
    },
  };
};
