/** HTML that is escaped unless it was made here. */

/** A piece of finished HTML. */
export type Html = { readonly html: string };

/** What may stand in a template; `undefined`, `null` and `false` are nothing. */
export type HtmlValue = Html | string | number | undefined | null | false | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes HTML: the template's text stands as it is, values are escaped, for text and for quoted attributes. */
export const html = (strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html => ({
  html: String.raw({ raw: strings }, ...values.map(toHtml)),
});

/** Text that matters, such as a name in a sentence. */
export const strong = (text: string): Html => html`<strong>${text}</strong>`;

const toHtml = (value: HtmlValue): string => {
  if (value === undefined || value === null || value === false) return '';
  if (typeof value === 'string' || typeof value === 'number') return escapeText(`${value}`);
  return 'html' in value ? value.html : value.map(toHtml).join('');
};

const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
