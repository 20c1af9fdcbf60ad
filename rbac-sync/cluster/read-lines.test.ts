import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from './read-lines.ts';

const collect = async (chunks: Iterable<Uint8Array>): Promise<string[]> => {
  const stream = (async function* () {
    yield* chunks;
  })();
  const lines: string[] = [];
  for await (const line of readLines(stream)) lines.push(line);
  return lines;
};

describe('readLines', () => {
  it('finds the lines, wherever the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1 })),
        fc.integer({ min: 1, max: 7 }),
        async (texts, size) => {
          const lines = texts
            .map((text) => text.replaceAll('\n', ''))
            .filter((line) => line !== '');
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
            bytes.subarray(n * size, (n + 1) * size),
          );
          expect(await collect(chunks)).toEqual(lines);
        },
      ),
    );
  });

  it('drops a line that was cut off', async () => {
    expect(await collect([Buffer.from('whole\nha')])).toEqual(['whole']);
  });

  it('refuses a line that never ends', async () => {
    const endless = Array.from({ length: 17 }, () => Buffer.alloc(1 << 20, 'a'));
    await expect(collect(endless)).rejects.toThrow(RangeError);
  });
});
