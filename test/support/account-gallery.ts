/** The pages below /account of the gallery. */
import { sessionsPage } from '../../issuer/views/account-sessions.ts';
import type { MakePage, ShownNames } from './page-gallery.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const STARTED_AT = 1_790_000_000;

const origin = { userAgent: FIREFOX, ip: '203.0.113.7', at: STARTED_AT, device: false };
const times = { startedAt: STARTED_AT, lastUsedAt: STARTED_AT + 3_600 };

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
