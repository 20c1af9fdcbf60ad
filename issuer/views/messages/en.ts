/**
 * The pages' words in English; the other languages have the same keys. One group for each page. A sentence
 * with a value in it is a function of the value, because languages put it in different places.
 */
import type { Closure } from '../../people/workspace-closure.ts';
import { type Html, html, strong } from '../html.ts';
import { EN_ACCOUNT } from './en-account.ts';
import { EN_ERRORS } from './en-errors.ts';

/** English. */
export const EN = {
  /** BCP 47, for `lang`. */
  locale: 'en',
  /** What the switch calls this language. */
  language: 'English',
  frame: {
    switchLanguage: 'Language',
    links: 'Help and terms',
    support: 'Get help',
    terms: 'Terms of service',
    privacy: 'Privacy policy',
  },
  common: {
    workspace: 'Workspace',
    organization: 'Organization',
    client: 'Client',
    cancel: 'Cancel',
    switchAccount: 'Sign in as someone else',
    closePage: 'You can close this page.',
  },
  signIn: {
    title: 'Sign in',
    destination: (name: string): Html => html`to continue to ${strong(name)}`,
    continueWith: (connector: string): string => `Continue with ${connector}`,
    or: 'or',
    withPassword: (connector: string): string => `Sign in with ${connector}`,
    username: 'Username',
    password: 'Password',
    submit: 'Sign in',
    wrongPassword: 'Username and password don’t belong together. Check both and try again.',
  },
  confirm: {
    title: (destination: string): string => `Sign in to ${destination}?`,
    warning: 'Only go on if you have just started this yourself.',
    as: 'As',
    answer: 'Answer goes to',
    onComputer: 'this computer',
    onDevice: 'the device that shows the code',
    onWebsite: 'a website',
    allow: 'Allow',
  },
  refusal: {
    notMember: 'You are not a member of this workspace',
    notMemberOf: (person: string, workspace: string, organization: string): Html =>
      html`${strong(person)} can’t sign in to ${strong(workspace)} of ${strong(organization)}.`,
    askAdministrator:
      'Ask an administrator of the workspace to add you, or sign in with another account.',
    closed: (closure: Closure): string =>
      closure === 'suspended' ? 'This workspace is suspended' : 'This workspace is being deleted',
    closedUntil: (closure: Closure, workspace: string, organization: string): Html =>
      html`Nobody can sign in to ${strong(workspace)} of ${strong(organization)} until a user of the
organization ${closure === 'suspended' ? 'resumes' : 'restores'} it.`,
    notAdmitted: 'You can’t sign in with this account',
    admission: {
      email_unverified:
        'Only people with a verified e-mail address may sign in here. Verify yours at the identity provider and try again, or sign in with another account.',
      email_domain:
        'Only people with an e-mail address of certain domains may sign in here. Sign in with another account, such as the one of your company.',
      not_invited:
        'Only people who were invited may sign in here. Ask an administrator of a workspace to add you, or sign in with another account.',
    },
    suspended: 'This account is suspended',
    askOperator:
      'It can’t sign in. Ask whoever runs this platform why, or sign in with another account.',
  },
  device: {
    title: 'Connect a device',
    label: 'Code shown by the device or terminal',
    submit: 'Continue',
    warning:
      'Only enter a code that you have just asked for yourself, never one that someone has sent you.',
    checkTitle: 'Does the code match?',
    mustShow: 'Your device or terminal must show this code:',
    checkWarning:
      'If someone sent you this code or a link with it, refuse: they would get in as you.',
    askedFrom: 'Requested from',
    matches: 'It matches',
    refuse: 'It doesn’t, or I didn’t ask for it',
    done: 'You are signed in',
    goBack: 'Go back to your device or terminal.',
    problems: {
      NoCodeError: 'Enter the code.',
      NotFoundError: 'That code is not known. Check it, or ask your device for a new one.',
      ExpiredError: 'That code has expired. Ask your device for a new one.',
      AlreadyUsedError: 'That code has been used. Ask your device for a new one.',
      AbortedError: 'You have refused the sign-in. The device gets nothing.',
      SessionNotFound: 'That took too long. Enter the code again.',
      other: 'That did not work. Ask your device for a new code and start again.',
    },
  },
  signOut: {
    title: 'Sign out?',
    text: 'This ends your session in this browser. Terminals that are signed in stay so until their sign-in ends.',
    everywhere: 'See where you are signed in, or sign out everywhere',
    submit: 'Sign out',
    stay: 'Stay signed in',
    done: 'You are signed out',
  },
  account: EN_ACCOUNT,
  error: EN_ERRORS,
};

/** The words of all pages. */
export type Messages = typeof EN;
