/** The error page's words in English: for each code what happened and what to do next. */

/** What an error page says of one code. */
export type ErrorWords = { readonly title: string; readonly next: string };

/** English. */
export const EN_ERRORS = {
  request: 'Request',
  details: 'Technical details',
  retry: 'Try again',
  /** @param seconds at least 1 */
  retryIn: (seconds: number): string =>
    seconds < 90
      ? `You can try again in ${seconds} second${seconds === 1 ? '' : 's'}.`
      : `You can try again in ${Math.ceil(seconds / 60)} minutes.`,
  /** By OAuth error code, or a code of ours. */
  codes: {
    expired: {
      title: 'This sign-in has ended',
      next: 'It has expired, was finished already, or was started in another browser. Start again where you came from: run the command in your terminal once more.',
    },
    forbidden: {
      title: 'That came from somewhere else',
      next: 'The form was not submitted from our own page. Start again where you came from.',
    },
    not_found: {
      title: 'There is nothing here',
      next: 'Check the address, or start again where you came from.',
    },
    invalid_client: {
      title: 'This workspace or program is not known',
      next: 'The client id in your configuration is not one of ours, or its workspace was deleted. Get a new kubeconfig from the workspace.',
    },
    invalid_redirect_uri: {
      title: 'The answer may not go there',
      next: 'The program asked for an answer at an address that is neither registered for it nor on this computer. Check its configuration; if you did not start it yourself, close this page.',
    },
    server_error: {
      title: 'Something went wrong here',
      next: 'It is not your fault. Try again in a moment; if it stays, tell whoever runs this platform the number below.',
    },
    temporarily_unavailable: {
      title: 'Please wait a moment',
      next: 'We can’t answer right now. Wait a few seconds and load this page again; if it stays, tell whoever runs this platform the number below.',
    },
    too_many_requests: {
      title: 'Too many attempts',
      next: 'To protect accounts, no more attempts are taken for now.',
    },
    upstream_denied: {
      title: 'You were not signed in there',
      next: 'The identity provider was told no, or refused. Try again, or sign in another way.',
    },
    upstream_unavailable: {
      title: 'The identity provider does not answer',
      next: 'It can’t be reached or is too slow at the moment. Try again in a minute, or sign in another way.',
    },
    upstream_invalid: {
      title: 'The identity provider’s answer can’t be used',
      next: 'It does not belong to this sign-in, or is not what was agreed. Start again; if it stays, tell whoever runs this platform the number below.',
    },
    upstream_unverified_email: {
      title: 'Your e-mail address is not verified',
      next: 'Verify your primary e-mail address at the identity provider, then try again.',
    },
    upstream_not_allowed: {
      title: 'This account may not sign in here',
      next: 'This platform does not take accounts like yours. Try another account, or ask whoever runs this platform.',
    },
    upstream_stale: {
      title: 'A new sign-in is needed',
      next: 'The identity provider took an older sign-in of yours instead of asking you again. Sign out there, then try again.',
    },
    upstream_gone: {
      title: 'This account is no longer valid',
      next: 'The identity provider says that it was deleted or suspended, or that your consent was withdrawn. Sign in again, or with another account.',
    },
    other: {
      title: 'This can’t go on',
      next: 'The program that sent you here asked for something that is not possible. Check its configuration and start again.',
    },
  },
};

/** A code that the error page has words of its own for. */
export type ErrorCode = keyof typeof EN_ERRORS.codes;
