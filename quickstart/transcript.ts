/** Prints the story: what is done, the command or request itself, and what really came back. */

/** Writes a transcript; `step` counts itself. */
export type Transcript = {
  readonly step: (title: string) => void;
  readonly say: (text: string) => void;
  /** A request or command as one would type it. */
  readonly command: (text: string) => void;
  /** What it answered, indented. */
  readonly output: (text: string) => void;
};

/** A transcript on a stream; colours only on a terminal that wants them (https://no-color.org). */
export const createTranscript = (stream: NodeJS.WriteStream): Transcript => {
  const colours = stream.isTTY && process.env['NO_COLOR'] === undefined;
  const paint = (code: number, text: string) =>
    colours ? `\u001b[${code}m${text}\u001b[0m` : text;
  const print = (text: string) => stream.write(`${text}\n`);
  let steps = 0;
  return {
    step: (title) => {
      steps += 1;
      print(`\n${paint(1, `${steps}. ${title}`)}`);
    },
    say: (text) => print(`   ${text}`),
    command: (text) => print(`   ${paint(36, `$ ${text}`)}`),
    output: (text) => {
      for (const line of text.trimEnd().split('\n')) print(`     ${paint(2, line)}`);
    },
  };
};
