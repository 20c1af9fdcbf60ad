/** GitHub's teams as group names, pure. */

/** A team in its organization; GitHub says of each team only its direct parent. */
export type Team = {
  /** Its login. */
  readonly organization: string;
  /** Its number, where the team was listed. */
  readonly organizationId?: number;
  readonly slug: string;
  readonly parent: string | undefined;
};

/** GitHub doesn't tell logins and slugs apart by case. */
const keyOf = (organization: string, slug: string): string =>
  `${organization}/${slug}`.toLowerCase();

/**
 * The names of teams and of all their parents, as `organization/team-slug`, sorted and each once: a member
 * of a child team is one of its parents' too.
 *
 * @param find looks a parent up by organization and slug
 * @param limit the most parents to look up
 * @throws RangeError when there are more
 */
export const withParents = async (
  teams: readonly Team[],
  find: (organization: string, slug: string) => Promise<Team>,
  limit: number,
): Promise<string[]> => {
  const known = new Map(teams.map((team) => [keyOf(team.organization, team.slug), team]));
  let looked = 0;
  // A Map goes on with what is added while it is walked, and what is known isn't looked up again.
  for (const { organization, parent } of known.values()) {
    if (parent === undefined || known.has(keyOf(organization, parent))) continue;
    looked += 1;
    if (looked > limit) throw new RangeError(`more than ${limit} parent teams`);
    known.set(keyOf(organization, parent), await find(organization, parent));
  }
  return [...known.values()].map(({ organization, slug }) => `${organization}/${slug}`).toSorted();
};
