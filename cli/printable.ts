/** The line without what a terminal obeys: names and messages in a cluster can hold that. */
export const toPrintable = (line: string): string =>
  line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
