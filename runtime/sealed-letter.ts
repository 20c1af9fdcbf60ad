/**
 * Secrets that one service takes in and only another can open: a compact JWE (RFC 7516) with
 * ECDH-ES+A256KW and A256GCM to the other's public key. Whom it is for is authenticated with it, so that one
 * row's letter is useless in another.
 */
import { CompactEncrypt, compactDecrypt, importJWK, type JWK } from 'jose';

const ALG = 'ECDH-ES+A256KW';
const ENC = 'A256GCM';

/** @param purpose what the secret is and whose; needed again to open it */
export const sealLetter = async (
  publicKey: JWK,
  purpose: string,
  plaintext: string,
): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(plaintext))
    .setProtectedHeader({
      alg: ALG,
      enc: ENC,
      purpose,
      ...(publicKey.kid && { kid: publicKey.kid }),
    })
    .encrypt(await importJWK(publicKey, ALG));

/** @throws when it is damaged, to another key, or for another purpose */
export const openLetter = async (
  privateKey: JWK,
  purpose: string,
  letter: string,
): Promise<string> => {
  const { plaintext, protectedHeader } = await compactDecrypt(
    letter,
    await importJWK(privateKey, ALG),
    { keyManagementAlgorithms: [ALG], contentEncryptionAlgorithms: [ENC] },
  );
  if (protectedHeader['purpose'] !== purpose) throw new Error('the letter is for another purpose');
  return new TextDecoder().decode(plaintext);
};
