/** Colours by WCAG 2.2's arithmetic. */

/** `#rrggbb`. */
export const HEX_COLOUR = /^#[0-9a-f]{6}$/i;

/**
 * The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
 *
 * @param a `#rrggbb`
 * @param b `#rrggbb`
 */
export const contrast = (a: string, b: string): number => {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
};

const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) =>
    linear(Number.parseInt(colour.slice(start, start + 2), 16) / 255),
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const linear = (channel: number): number =>
  channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
