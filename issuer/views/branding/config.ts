/** The setting BRANDING: how the pages look, and whom people turn to. */
import * as z from 'zod';
import { contrast, HEX_COLOUR } from './colour.ts';

/** What text stands on in each theme: the page and the card, as in style/theme.css. */
export const BACKGROUNDS = {
  light: ['#f3f4f8', '#ffffff'],
  dark: ['#0e1018', '#181b27'],
} as const;

// WCAG 2.2, 1.4.3, for text; links have the accent colour.
const MINIMUM_CONTRAST = 4.5;

const accentFor = (theme: keyof typeof BACKGROUNDS) =>
  z
    .string()
    .regex(HEX_COLOUR, 'Must be a colour such as "#3d4fd6".')
    .superRefine((colour, context) => {
      if (!HEX_COLOUR.test(colour)) return;
      for (const background of BACKGROUNDS[theme]) {
        const ratio = contrast(colour, background);
        if (ratio >= MINIMUM_CONTRAST) continue;
        context.addIssue({
          code: 'custom',
          message: `${colour} has a contrast of ${ratio.toFixed(1)} to the ${theme} background ${background}, and text needs ${MINIMUM_CONTRAST}: choose a ${theme === 'light' ? 'darker' : 'lighter'} colour.`,
        });
      }
    });

const link = (protocol: RegExp, words: string) => z.url({ protocol, error: `Must be ${words}.` });
const WebLink = link(/^https$/, 'an https:// address');

/** BRANDING, with its defaults. */
export const BrandingConfig = z.strictObject({
  /** What the pages call the platform. */
  name: z.string().trim().min(1).max(40).default('Hexabase'),
  /** A file: SVG or PNG. */
  logo_path: z
    .string()
    .regex(/\.(svg|png)$/i, 'Must be the path of an .svg or .png file.')
    .optional(),
  accent_color: z.strictObject({ light: accentFor('light'), dark: accentFor('dark') }).optional(),
  support_url: link(/^(https|mailto)$/, 'an https:// or mailto: address').optional(),
  terms_url: WebLink.optional(),
  privacy_url: WebLink.optional(),
});
export type BrandingConfig = Readonly<z.infer<typeof BrandingConfig>>;
