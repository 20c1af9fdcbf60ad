/** A program in the words of its person, from what it says of itself (RFC 9110 §10.1.5). */

/** What a User-Agent header tells. */
export type Program = {
  /** Such as `Firefox`. `undefined` when it says nothing. */
  readonly name: string | undefined;
  /** The operating system, such as `macOS`. */
  readonly system: string | undefined;
};

// The first that fits: most browsers name others too, which come later.
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(A|iOS)?\//, 'Microsoft Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(HeadlessChrome|Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/[\d.]+ .*Safari\//, 'Safari'],
  [/\bGo-http-client\//, 'kubectl'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(iPhone|iPod)\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** Reads a User-Agent header; what isn't a known browser is named by its first product. */
export const parseUserAgent = (userAgent: string): Program => ({
  name: find(BROWSERS, userAgent) ?? /^[\w.-]{1,40}/.exec(userAgent)?.[0],
  system: find(SYSTEMS, userAgent),
});

const find = (
  names: readonly (readonly [RegExp, string])[],
  userAgent: string,
): string | undefined => names.find(([pattern]) => pattern.test(userAgent))?.[1];
