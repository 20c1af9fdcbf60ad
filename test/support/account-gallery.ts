/** The pages below /account of the gallery. */
import type { PasswordConnector, RedirectConnector } from '../../issuer/connectors/connector.ts';
import {
  linkPasswordPage,
  linkProviderPage,
  methodsPage,
  takenPage,
} from '../../issuer/views/account-methods.ts';
import { sessionsPage } from '../../issuer/views/account-sessions.ts';
import type { MakePage, ShownNames } from './page-gallery.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const STARTED_AT = 1_790_000_000;

const origin = { userAgent: FIREFOX, ip: '203.0.113.7', at: STARTED_AT, device: false };
const times = { startedAt: STARTED_AT, lastUsedAt: STARTED_AT + 3_600 };

const passwordConnector = (name: string): PasswordConnector => ({
  kind: 'password',
  id: 'local',
  name,
  signIn: () => Promise.resolve(undefined),
});

const unused = (): never => {
  throw new Error('the gallery links nothing');
};

const google: RedirectConnector = {
  ...{ kind: 'redirect', id: 'google', name: 'Google', type: 'google' },
  ...{ begin: unused, complete: unused, refresh: unused },
};

/** Ways to sign in: what there is, and how one is added. */
export const methodPages = (names: ShownNames): Record<string, MakePage> => {
  const { person: personName } = names;
  const password = passwordConnector(names.connector);
  const local = { connector: 'local', subject: '1183', connectorName: password.name };
  const gone = {
    connector: names.connector,
    subject: '1184',
    connectorName: undefined,
    removable: false,
  };
  const url = new URL('https://provider.example/authorize');
  return {
    'account-methods': (messages) =>
      methodsPage(messages, {
        personName,
        methods: [{ ...local, removable: true }, gone],
        connectors: [google, password],
      }),
    'account-link': (messages) => linkProviderPage(messages, { connector: google, url }),
    'account-link-password': (messages) =>
      linkPasswordPage(messages, { connector: password, failed: { username: 'alice' } }),
    'account-taken': (messages) => takenPage(messages, google.name),
  };
};

/** Where someone is signed in: a few places, and this browser alone. */
export const accountPages = (names: ShownNames): Record<string, MakePage> => {
  const { person: personName, workspace: name, organization, client } = names;
  const here = { id: 's1', isThisBrowser: true, origin, ...times };
  const elsewhere = { ...here, id: 's2', isThisBrowser: false, origin: undefined };
  const kubectl = {
    id: 'g1',
    destination: { clientId: 'ws', clientName: name, workspace: { name, organization } },
    origin: { ...origin, device: true },
    ...times,
  };
  const cli = { ...kubectl, id: 'g2', destination: { clientId: 'cli', clientName: client } };
  return {
    'account-sessions': (messages) =>
      sessionsPage(messages, { personName, sessions: [here, elsewhere], grants: [kubectl, cli] }),
    'account-one-session': (messages) =>
      sessionsPage(messages, { personName, sessions: [here], grants: [] }),
  };
};
