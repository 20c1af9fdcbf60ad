/** Follows a sign-in to an identity provider and back, as a browser does that keeps cookies of both. */
import { Agent, fetch } from 'undici';
import type { PageVisitor, VisitedPage } from '../../quickstart/page-visitor.ts';

/**
 * The address to which a provider that asks nothing sends the browser back.
 *
 * @param page where our site was left: at the provider's authorization endpoint
 * @param ca PEM of the provider's authority
 */
export const askProvider = async (page: VisitedPage, ca: string): Promise<URL> => {
  if (!page.left) throw new Error(`still on our own page: ${page.status} ${page.text}`);
  const agent = new Agent({ connect: { ca } });
  const answer = await fetch(page.url, { redirect: 'manual', dispatcher: agent });
  await answer.body?.cancel();
  await agent.close();
  const location = answer.headers.get('location');
  if (location === null) throw new Error(`the provider answers ${answer.status}`);
  return new URL(location, page.url);
};

/** The page that the link to a connector leads to: a provider's, outside of our site. */
export const chooseProvider = (
  visitor: PageVisitor,
  page: VisitedPage,
  connectorId: string,
): Promise<VisitedPage> => {
  const link = page.document
    .querySelectorAll('a')
    .map((each) => each.getAttribute('href') ?? '')
    .find((href) => href.split('?')[0]?.endsWith(`/sign-in/${connectorId}`));
  if (link === undefined) throw new Error(`no link to ${connectorId} on: ${page.text}`);
  return visitor.open(new URL(link, page.url).href);
};
