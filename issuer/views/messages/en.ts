/** The pages' words in English; the other languages have the same keys. One group for each page. */
export const EN = {
  /** BCP 47, for `lang`. */
  locale: 'en',
  /** What the switch calls this language. */
  language: 'English',
  frame: {
    switchLanguage: 'Language',
  },
};

/** The words of all pages. A sentence with a value in it is a function of the value. */
export type Messages = typeof EN;
