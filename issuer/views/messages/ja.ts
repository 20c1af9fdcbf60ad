import type { Messages } from './en.ts';

/** The pages' words in Japanese. */
export const JA: Messages = {
  locale: 'ja',
  language: '日本語',
  frame: {
    switchLanguage: '言語',
  },
};
