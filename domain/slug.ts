const MAX_SLUG = 40;

/**
 * A slug made from a name: its letters and digits without marks, joined by "-".
 *
 * @param otherwise when the name has none that ASCII can write
 */
export const toSlug = (name: string, otherwise: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replace(/^-+|-+$/g, '') || otherwise;
