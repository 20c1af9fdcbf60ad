/** The words of the account pages in English. */

/** English. */
export const EN_ACCOUNT = {
  pages: 'Your account',
  signedInAs: (name: string): string => `Signed in as ${name}`,
  sessions: {
    title: 'Where you are signed in',
    link: 'Sign-ins',
    browsers: 'Browsers',
    programs: 'Terminals and programs',
    noPrograms: 'No terminal or program is signed in.',
    thisBrowser: 'This browser',
    on: (program: string, system: string): string => `${program} on ${system}`,
    unknown: 'A program that doesn’t say its name',
    device: 'By device code',
    address: 'Address',
    started: 'Signed in',
    lastUsed: 'Last used',
    end: 'End',
    endOf: (what: string): string => `End ${what}`,
    signOut: 'Sign out of this browser',
    everywhere: 'Sign out everywhere',
    everywhereText:
      'Ends everything above: each browser, this one too, and each terminal. A cluster may accept a token that a terminal already has for up to two more minutes.',
  },
  methods: {
    title: 'How you sign in',
    link: 'Ways to sign in',
    yours: 'Your ways to sign in',
    add: 'Add another',
    addOf: (connector: string): string => `Add ${connector}`,
    unlink: 'Remove',
    unlinkOf: (what: string): string => `Remove ${what}`,
    unlinkEnds:
      'Removing a way ends all your other sign-ins: in other browsers, on the command line and in programs. This browser stays signed in.',
    only: 'Add another way before you remove this one.',
    gone: 'This platform no longer offers it.',
    fresh: 'Before you change something here, you are asked to sign in again.',
    taken: 'That account belongs to someone else',
    takenText: (connector: string): string =>
      `The account at ${connector} is already how another person signs in here. Sign in with it and remove it there, or add another account.`,
    back: 'Back to your ways to sign in',
  },
};
