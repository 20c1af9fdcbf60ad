import { describe, expect, it } from 'vitest';
import { type Team, withParents } from './teams.ts';

const TREE: Readonly<Record<string, string | undefined>> = {
  everyone: undefined,
  engineering: 'everyone',
  platform: 'engineering',
  'on-call': 'platform',
  left: 'right',
  right: 'left',
};

const team = (slug: string, organization = 'Acme'): Team => ({
  organization,
  slug,
  parent: TREE[slug],
});

const resolve = async (slugs: readonly string[], limit = 10) => {
  const asked: string[] = [];
  const names = await withParents(
    slugs.map((slug) => team(slug)),
    async (organization, slug) => {
      asked.push(slug);
      return team(slug, organization);
    },
    limit,
  );
  return { names, asked };
};

describe('withParents', () => {
  it.each([
    ['no team', [], [], []],
    ['a team at the top', ['everyone'], ['Acme/everyone'], []],
    [
      'a team four deep',
      ['on-call'],
      ['Acme/engineering', 'Acme/everyone', 'Acme/on-call', 'Acme/platform'],
      ['platform', 'engineering', 'everyone'],
    ],
    [
      'a team and its parent, the rest asked for once',
      ['on-call', 'platform'],
      ['Acme/engineering', 'Acme/everyone', 'Acme/on-call', 'Acme/platform'],
      ['engineering', 'everyone'],
    ],
    ['a circle', ['left'], ['Acme/left', 'Acme/right'], ['right']],
  ])('names %s', async (_name, slugs, names, asked) => {
    expect(await resolve(slugs)).toEqual({ names, asked });
  });

  it('keeps organizations apart, and the case of names out of it', async () => {
    const teams = [
      team('everyone'),
      team('everyone', 'Other'),
      { ...team('everyone'), slug: 'Everyone' },
    ];
    const names = await withParents(teams, () => Promise.reject(new Error('asked')), 10);
    expect(names).toHaveLength(2);
  });

  it('gives up when there are too many parents', async () => {
    await expect(resolve(['on-call'], 2)).rejects.toThrow(RangeError);
  });
});
