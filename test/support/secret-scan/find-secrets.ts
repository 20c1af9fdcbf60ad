/** Looks for secrets in texts: whole, in parts, and in the encodings in which they would still be of use. */

/** A part of this length is as good as the secret: the rest can be guessed or isn't needed. */
const PART = 16;

/**
 * The lines of a text that hold something of a secret.
 *
 * @param secrets whole; of those shorter than 16 characters only the whole is looked for
 */
export const findSecrets = (text: string, secrets: Iterable<string>): readonly string[] => {
  const { parts, short } = cut(secrets);
  return text.split('\n').filter((line) => {
    if (short.some((form) => line.includes(form))) return true;
    for (let at = 0; at + PART <= line.length; at += 1) {
      if (parts.has(line.slice(at, at + PART))) return true;
    }
    return false;
  });
};

const cut = (secrets: Iterable<string>) => {
  const parts = new Set<string>();
  const short: string[] = [];
  for (const secret of secrets) {
    for (const form of formsOf(secret)) {
      if (form.length < PART) short.push(form);
      for (let at = 0; at + PART <= form.length; at += 1) parts.add(form.slice(at, at + PART));
    }
  }
  return { parts, short };
};

const formsOf = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    // A secret within a longer text begins at any of three places of base64.
    ...[0, 1, 2].flatMap((skipped) => {
      const whole = bytes.subarray(skipped, bytes.length - ((bytes.length - skipped) % 3));
      return [whole.toString('base64'), whole.toString('base64url')];
    }),
  ].filter((form) => form.length >= 8);
};
