import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contrast } from './colour.ts';
import { BACKGROUNDS, BrandingConfig } from './config.ts';

const STYLE = readFileSync(new URL('../style/theme.css', import.meta.url), 'utf8');

describe('BrandingConfig', () => {
  it('is ours when nothing is set', () => {
    expect(BrandingConfig.parse({})).toEqual({ name: 'Hexabase' });
  });

  it('takes a whole brand', () => {
    const brand = {
      name: 'Acme Platform',
      logo_path: '/etc/hexabase/logo.svg',
      accent_color: { light: '#0b5c4a', dark: '#5fd3b5' },
      support_url: 'mailto:platform@acme.example',
      terms_url: 'https://acme.example/terms',
      privacy_url: 'https://acme.example/privacy',
    };
    expect(BrandingConfig.parse(brand)).toEqual(brand);
  });

  it.each([
    [{ name: '  ' }, /name/],
    [{ name: 'x'.repeat(41) }, /name/],
    [{ logo_path: 'logo.gif' }, /\.svg or \.png/],
    [{ accent_color: { light: 'red', dark: '#8b99ff' } }, /#3d4fd6/],
    [{ accent_color: { light: '#3d4fd6' } }, /dark/],
    [{ accent_color: { light: '#8b99ff', dark: '#8b99ff' } }, /contrast of 2\.\d.*darker colour/],
    [{ accent_color: { light: '#3d4fd6', dark: '#3d4fd6' } }, /contrast of 2\.\d.*lighter colour/],
    [{ accent_color: { light: '#3d4fd6;}body{', dark: '#8b99ff' } }, /colour such as/],
    [{ support_url: 'javascript:alert(1)' }, /https:\/\/ or mailto:/],
    [{ terms_url: 'http://acme.example' }, /https:\/\//],
    [{ privacy_url: 'data:text/html,x' }, /https:\/\//],
    [{ css: 'body{}' }, /css/],
  ])('refuses %j', (branding, message) => {
    expect(() => BrandingConfig.parse(branding)).toThrow(message);
  });
});

describe('the stylesheet', () => {
  const [light = '', dark = ''] = STYLE.split('@media (prefers-color-scheme: dark)');
  const valueIn = (theme: string, name: string) =>
    new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(theme)?.[1] ?? '';

  it.each([
    ['light', light],
    ['dark', dark],
  ] as const)(
    'has the backgrounds that accents are checked against, and holds to it, %s',
    (theme, rules) => {
      expect([valueIn(rules, 'ground'), valueIn(rules, 'card')]).toEqual(BACKGROUNDS[theme]);
      for (const background of BACKGROUNDS[theme]) {
        for (const text of ['ink', 'quiet', 'accent', 'alarm']) {
          expect(contrast(valueIn(rules, text), background)).toBeGreaterThanOrEqual(4.5);
        }
        for (const edge of ['field-line', 'focus']) {
          expect(contrast(valueIn(rules, edge), background)).toBeGreaterThanOrEqual(3);
        }
      }
    },
  );
});
