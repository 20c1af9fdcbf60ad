/** Which identity providers there are: whoever is named by one that isn't there could never sign in. */
import type { RequestContext } from '../context.ts';
import { bodyProblem, PROBLEMS, type Problem } from '../problems.ts';
import { listConnectors } from './queries.ts';
import type { ConnectorRow } from './schema.ts';

/**
 * The connector that the member `connector` of a body names.
 *
 * @throws Problem unprocessable when the issuer has none of this id
 */
export const getConnector = async (
  { tx }: Pick<RequestContext, 'tx'>,
  connector: string,
): Promise<ConnectorRow> => {
  const connectors = await listConnectors(tx);
  const found = connectors.find(({ id }) => id === connector);
  if (!found) throw unknownConnector(connector, connectors);
  return found;
};

const unknownConnector = (connector: string, connectors: readonly ConnectorRow[]): Problem => {
  const ids = connectors.map(({ id }) => `"${id}"`).join(', ');
  return bodyProblem(
    PROBLEMS.unprocessable,
    ['connector'],
    `There is no connector "${connector}". ${ids === '' ? 'The issuer has not told of any yet.' : `There are: ${ids}.`}`,
  );
};
