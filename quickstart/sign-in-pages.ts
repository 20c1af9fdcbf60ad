/** Goes through the issuer's pages as their person would: signs in and confirms, or leaves when refused. */
import { fetch } from 'undici';
import { createPageVisitor, type VisitedPage } from './page-visitor.ts';

/** Who signs in, and whom to trust. */
export type SignInPerson = {
  readonly username: string;
  readonly password: string;
  /** PEM of the authority that signed the issuer's certificate. */
  readonly certificateAuthority: string;
};

const MAX_PAGES = 10;

/**
 * Opens an address and does what a willing person does on each page, until a page has nothing left to
 * submit. A redirect to a loopback address (RFC 8252) is the client's, and called.
 *
 * @returns the last page
 * @throws when the pages never end
 */
export const signInThroughPages = async (
  address: string,
  person: SignInPerson,
): Promise<VisitedPage> => {
  await using visitor = createPageVisitor(person.certificateAuthority);
  let page = await visitor.open(address);
  for (let visited = 0; visited < MAX_PAGES; visited += 1) {
    if (page.left) {
      await fetch(page.url);
      return page;
    }
    const submission = chooseSubmission(page, person);
    if (!submission) return page;
    page = await visitor.submit(page, submission);
  }
  throw new Error(`the sign-in did not end after ${MAX_PAGES} pages: ${page.text}`);
};

type Submission = Parameters<ReturnType<typeof createPageVisitor>['submit']>[1];

const chooseSubmission = (
  { document, status }: VisitedPage,
  { username, password }: SignInPerson,
): Submission => {
  const has = (selector: string) => document.querySelector(selector) !== null;
  if (status >= 400) return has('form[action$="/cancel"]') ? { action: '/cancel' } : undefined;
  if (has('input[name=password]')) return { having: 'password', fields: { username, password } };
  return has('main form[method=post]') ? {} : undefined;
};
