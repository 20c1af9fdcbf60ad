import { parse } from 'node-html-parser';
import { describe, expect, it } from 'vitest';
import { createGallery } from '../../test/support/page-gallery.ts';
import { JA } from './messages/ja.ts';

const GALLERY = createGallery({
  person: '有栖',
  email: '@',
  workspace: '決済',
  organization: '株式会社〇〇',
  connector: '社員名簿',
  client: '端末',
});

// Products and what is written so in Japanese too.
const NAMES = /Google|GitHub|Firefox|Linux|kubectl|kubeconfig|\bID\b|\bUTC\b/g;

describe.each(Object.entries(GALLERY))('the page %s in Japanese', (_name, make) => {
  const { title, body } = make(JA);
  const document = parse(body.html);
  // Identifiers, addresses and what is marked as English.
  for (const element of document.querySelectorAll('code, .code-value')) element.remove();
  const attributes = document
    .querySelectorAll('[aria-label], [title], [alt]')
    .flatMap(({ attributes: { 'aria-label': label, title: tip, alt } }) => [label, tip, alt]);

  it('has no English words', () => {
    const text = [title, document.textContent, ...attributes].join(' ').replace(NAMES, '');
    expect(text.match(/[a-z]{2,}/gi) ?? []).toEqual([]);
    expect(title).toMatch(/[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]/u);
  });
});
