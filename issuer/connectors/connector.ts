/** Identity providers that people sign in with: one small interface for each way of doing it. */

/** Who someone is at a connector. */
export type UpstreamIdentity = {
  /** The connector's id. With the subject it is the key of an account; an e-mail address never is. */
  readonly connector: string;
  /** Stable and unique at the connector. */
  readonly subject: string;
  readonly displayName: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
};

/** Signs people in by username and password, on the issuer's own page. */
export type PasswordConnector = {
  readonly kind: 'password';
  readonly id: string;
  /** What people see. */
  readonly name: string;
  /** The identity, or `undefined` when username and password don't belong together. */
  readonly signIn: (username: string, password: string) => Promise<UpstreamIdentity | undefined>;
};

/** Any way to sign in. */
export type Connector = PasswordConnector;
