/**
 * The kubeconfig of a cluster that is attached to a workspace. It comes from a tenant and is used by us, so it may
 * hold an address and a credential in plain words, and nothing that runs a program, reads a file of ours,
 * goes another way or leaves the server unproven.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Lexer, Parser, parse } from 'yaml';
import * as z from 'zod';

/** What such a kubeconfig says. */
export type AttachedKubeconfig = {
  /** `https://host[:port]` */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly credential:
    | { readonly token: string }
    | { readonly certificate: string; readonly privateKey: string };
};

/** Why a kubeconfig is refused, in a sentence; nothing of its content is in it. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** The name of the provisioner of workspaces with such a cluster, in their rows. */
export const ATTACHED_PROVISIONER = 'attached';

/** What a workspace's kubeconfig is sealed for, so that it opens for no other. @param workspaceId UUID */
export const toKubeconfigPurpose = (workspaceId: string): string => `kubeconfig:${workspaceId}`;

/** The longest kubeconfig, in characters. */
export const LONGEST_KUBECONFIG = 65_536;

/** What kubectl takes and we don't, and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  exec: 'credential plugins (exec) are not run; use a token or a client certificate',
  'auth-provider': 'auth providers are not run; use a token or a client certificate',
  tokenFile: 'tokenFile names a file; put the token itself in as token',
  'client-certificate':
    'client-certificate names a file; use client-certificate-data (kubectl config view --flatten)',
  'client-key': 'client-key names a file; use client-key-data (kubectl config view --flatten)',
  'certificate-authority':
    'certificate-authority names a file; use certificate-authority-data (kubectl config view --flatten)',
  'insecure-skip-tls-verify':
    'insecure-skip-tls-verify would trust any server; use certificate-authority-data',
  'proxy-url': 'proxy-url is not followed; the server must be reached directly',
  'tls-server-name':
    'tls-server-name is not supported; the certificate must name the server’s host',
  as: 'impersonation (as) is not supported; use a credential that has the rights itself',
  'as-groups': 'impersonation (as-groups) is not supported',
  'as-uid': 'impersonation (as-uid) is not supported',
  'as-user-extra': 'impersonation (as-user-extra) is not supported',
  username: 'basic authentication is not supported; use a token or a client certificate',
  password: 'basic authentication is not supported; use a token or a client certificate',
};

const named = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.array(z.strictObject({ name: z.string(), ...shape })).length(1);

const Document = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Config'),
  preferences: z.unknown().optional(),
  extensions: z.unknown().optional(),
  clusters: named({
    cluster: z.strictObject({
      server: z.string(),
      'certificate-authority-data': z.base64(),
      extensions: z.unknown().optional(),
    }),
  }),
  users: named({
    user: z.strictObject({
      token: z.string().optional(),
      'client-certificate-data': z.base64().optional(),
      'client-key-data': z.base64().optional(),
      extensions: z.unknown().optional(),
    }),
  }),
  contexts: named({
    context: z.strictObject({
      cluster: z.string(),
      user: z.string(),
      namespace: z.string().optional(),
      extensions: z.unknown().optional(),
    }),
  }),
  'current-context': z.string().optional(),
});
type Document = z.infer<typeof Document>;

/** @throws KubeconfigError */
export const parseAttachedKubeconfig = (text: string): AttachedKubeconfig => {
  if (text.length > LONGEST_KUBECONFIG) {
    throw new KubeconfigError(`It is longer than ${LONGEST_KUBECONFIG} characters.`);
  }
  const value = parseYaml(text);
  refuseByName(value);
  const result = Document.safeParse(value);
  if (!result.success) throw new KubeconfigError(describeIssue(result.error));
  const [{ cluster }] = result.data.clusters as [Document['clusters'][number]];
  const [{ user }] = result.data.users as [Document['users'][number]];
  return {
    server: parseServer(cluster.server),
    certificateAuthority: parseAuthority(decode(cluster['certificate-authority-data'])),
    credential: parseCredential(user),
  };
};

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

/** Far more than a kubeconfig has: what is deeper runs into the stack's end, and many keys or faults take seconds. */
const MOST_LEXEMES = 5_000;
const DEEPEST = 40;

const parseYaml = (text: string): unknown => {
  refuseBombs(text);
  try {
    return parse(text, {
      // Without aliases: a few bytes of them make gigabytes.
      maxAliasCount: 0,
      // Neither errors nor warnings quote the text.
      prettyErrors: false,
      logLevel: 'error',
    });
  } catch {
    throw new KubeconfigError('It is not YAML, or uses aliases.');
  }
};

/** Lexer and parser go step by step; only what comes after them goes deep. */
const refuseBombs = (text: string): void => {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    for (const _ of parser.next(lexeme));
    if (lexemes > MOST_LEXEMES || parser.stack.length > DEEPEST) {
      throw new KubeconfigError('It has more in it than any kubeconfig, or is nested too deep.');
    }
  }
};

/** Before the schema, so that everyone is told what to do instead. */
const refuseByName = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const reason = REFUSED[key];
    if (reason && inner !== false && inner !== '' && inner !== null) {
      throw new KubeconfigError(`It has "${key}": ${reason}.`);
    }
    if (key !== 'extensions') refuseByName(inner);
  }
};

/** Names the place, never what stands there. */
const describeIssue = ({ issues: [issue] }: z.ZodError): string => {
  const place = issue?.path.join('.') || 'the document';
  const surplus =
    issue?.code === 'unrecognized_keys'
      ? ` (not known: ${issue.keys.join(', ').slice(0, 200)})`
      : '';
  return `It must be a kubeconfig (v1) with exactly one cluster, one user and one context, all inline; at fault is ${place}${surplus}. "kubectl config view --minify --flatten --raw" makes such a one.`;
};

const parseServer = (server: string): string => {
  const url = URL.parse(server);
  const isPlain = url?.pathname === '/' && url.search === '' && url.hash === '';
  if (url?.protocol !== 'https:' || !isPlain || url.username !== '' || url.password !== '') {
    throw new KubeconfigError(
      'Its server must be https://host[:port], with no path, query or user.',
    );
  }
  return url.origin;
};

const parseAuthority = (pem: string): string => {
  try {
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw new KubeconfigError('Its certificate-authority-data must be a certificate in PEM.', {
      cause: error,
    });
  }
};

const TOKEN = /^[\x21-\x7e]{1,16384}$/;

const parseCredential = (
  user: Document['users'][number]['user'],
): AttachedKubeconfig['credential'] => {
  const { token, 'client-certificate-data': certificate, 'client-key-data': privateKey } = user;
  if (token !== undefined && certificate === undefined && privateKey === undefined) {
    if (TOKEN.test(token)) return { token };
    throw new KubeconfigError('Its token must be printable ASCII without spaces.');
  }
  if (token === undefined && certificate !== undefined && privateKey !== undefined) {
    return parseKeyPair({ certificate: decode(certificate), privateKey: decode(privateKey) });
  }
  throw new KubeconfigError(
    'Its user must have either a token, or client-certificate-data with client-key-data.',
  );
};

const parseKeyPair = <Pair extends { certificate: string; privateKey: string }>(
  pair: Pair,
): Pair => {
  try {
    const key = createPrivateKey(pair.privateKey);
    if (new X509Certificate(pair.certificate).checkPrivateKey(key)) return pair;
  } catch (error) {
    throw new KubeconfigError('Its client certificate and key must be in PEM.', { cause: error });
  }
  throw new KubeconfigError('Its client key is not the one of its client certificate.');
};
