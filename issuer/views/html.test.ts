import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from './html.ts';

describe('html', () => {
  it('escapes values, in text and in attributes', () => {
    const evil = `"><script>alert('x')</script>&`;
    expect(html`<p title="${evil}">${evil}</p>`.html).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</p>',
    );
  });

  it('lets no value open a tag, end an attribute or start an entity', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const escaped = html`${text}`.html;
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });

  it('takes HTML, lists and nothing', () => {
    expect(html`<ul>${[html`<li>${1}</li>`, undefined, null, false, '<']}</ul>`.html).toBe(
      '<ul><li>1</li>&lt;</ul>',
    );
  });
});
