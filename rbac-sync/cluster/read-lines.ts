/** Splits a stream of bytes into lines of UTF-8 text. */
import { StringDecoder } from 'node:string_decoder';

/** A line longer than this is a fault of the sender's: an object has at most 1.5 MiB in etcd. */
const LONGEST_LINE = 16 << 20;

/**
 * The complete lines, without their ends and without empty ones. A rest without a line end is cut
 * off half-way and is dropped: whoever watches resumes before it.
 *
 * @throws RangeError on a line that never ends
 */
export async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new RangeError('a line is longer than any object can be');
    for (const line of lines) if (line !== '') yield line;
  }
}
