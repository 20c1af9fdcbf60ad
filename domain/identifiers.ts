/**
 * Identifiers: UUIDv7 inside, and outside a TypeID — a type prefix and the UUID in 26 characters of
 * Crockford's base32 (https://github.com/jetify-com/typeid/tree/main/spec), such as
 * `ws_01k3v7c4h8e2f9r5t6y7z8a9bc`. The prefix makes a wrong id visible at a glance and refusable by
 * shape; rows, queries and code hold the plain UUID.
 */
import { uuidv7 } from 'uuidv7';

/** What an identifier may name, and its prefix. */
export const PREFIXES = {
  person: 'usr',
  organization: 'org',
  plan: 'plan',
  workspace: 'ws',
  group: 'grp',
  groupMapping: 'map',
  serviceAccount: 'sa',
  clientSecret: 'sec',
  clientKey: 'key',
  federatedCredential: 'fed',
  project: 'prj',
  projectRole: 'rol',
  roleAssignment: 'asg',
  task: 'task',
  drift: 'drift',
  diff: 'diff',
} as const;

/** A kind of thing that has an identifier. */
export type IdentifierKind = keyof typeof PREFIXES;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const SUFFIX = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** A new UUIDv7 (RFC 9562): unique, and ordered by time of making. */
export const createId = (): string => uuidv7();

/**
 * The public form of a UUID.
 *
 * @param kind what the UUID names
 * @param uuid a UUID in its usual 36-character form
 */
export const formatId = (kind: IdentifierKind, uuid: string): string => {
  const hex = uuid.replaceAll('-', '');
  let suffix = encode(hex.slice(0, 2), 2);
  for (let i = 2; i < hex.length; i += HEX_DIGITS) {
    suffix += encode(hex.slice(i, i + HEX_DIGITS), CHARACTERS);
  }
  return `${PREFIXES[kind]}_${suffix}`;
};

/** 20 bits are five digits of base16 and four characters of base32: each group stands for itself. */
const HEX_DIGITS = 5;
const CHARACTERS = 4;

const encode = (hex: string, characters: number): string => {
  const bits = Number.parseInt(hex, 16);
  let text = '';
  for (let i = 0; i < characters; i += 1) text = `${ALPHABET[(bits >> (5 * i)) & 31]}${text}`;
  return text;
};

const decode = (text: string, digits: number): string => {
  let bits = 0;
  for (const character of text) bits = (bits << 5) | ALPHABET.indexOf(character);
  return bits.toString(16).padStart(digits, '0');
};

/**
 * The UUID in a public identifier; `undefined` when the text is not one of this kind, so that a
 * foreign, mistyped or wrong-kind id is simply not found.
 */
export const parseId = (kind: IdentifierKind, text: string): string | undefined => {
  const prefix = `${PREFIXES[kind]}_`;
  const suffix = text.slice(prefix.length);
  if (!text.startsWith(prefix) || !SUFFIX.test(suffix)) return undefined;
  let hex = decode(suffix.slice(0, 2), 2);
  for (let i = 2; i < suffix.length; i += CHARACTERS) {
    hex += decode(suffix.slice(i, i + CHARACTERS), HEX_DIGITS);
  }
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** A regular expression source that public identifiers of this kind match, for schemas. */
export const idPattern = (kind: IdentifierKind): RegExp =>
  new RegExp(`^${PREFIXES[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`);
