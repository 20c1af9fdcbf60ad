import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  ApiAudience,
  DatabaseUrl,
  Flag,
  IssuerUrl,
  Json,
  Port,
  parseEnvironment,
} from './config.ts';

const Schema = z.object({ PORT: Port, SECRET: z.string().min(8), DEBUG: Flag.default(false) });

describe('parseEnvironment', () => {
  it('reads values, defaults and nothing else', () => {
    const config = parseEnvironment(Schema, { PORT: '80', SECRET: 'long enough', OTHER: 'x' });
    expect(config).toEqual({ PORT: 80, SECRET: 'long enough', DEBUG: false });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reads a secret from a file, without its final newline', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'secret');
    writeFileSync(file, 'from a file\n');
    expect(parseEnvironment(Schema, { PORT: '80', SECRET_FILE: file }).SECRET).toBe('from a file');
  });

  it('names every fault at once and no value', () => {
    const read = () =>
      parseEnvironment(Schema, { PORT: '99999', SECRET: 'hunter2', DEBUG: 'maybe' });
    expect(read).toThrow(/PORT[\s\S]*SECRET[\s\S]*DEBUG|PORT/);
    expect(read).toThrow(/SECRET/);
    expect(read).toThrow(/DEBUG/);
    expect(read).not.toThrow(/hunter2/);
  });

  it('says of what is missing that it is not set', () => {
    expect(() => parseEnvironment(Schema, {})).toThrow(
      /not set[\s\S]*PORT[\s\S]*not set[\s\S]*SECRET/,
    );
  });

  it('tells a file that can’t be read with its setting, once', () => {
    const read = () => parseEnvironment(Schema, { PORT: '1', SECRET_FILE: '/does/not/exist' });
    expect(read).toThrow(/SECRET_FILE can’t be read: ENOENT.*exist/);
    expect(read).not.toThrow(/not set/);
  });

  it('says of a member that it is missing, not that it is no string', () => {
    const Nested = z.object({ LIST: Json.pipe(z.array(z.object({ id: z.string() }))) });
    const read = () => parseEnvironment(Nested, { LIST: '[{}]' });
    expect(read).toThrow(/It is missing\n {2}→ at LIST\[0\]\.id/);
  });

  it.each([
    [IssuerUrl, 'http://login.example.com', /https origin/],
    [IssuerUrl, 'login.example.com', /https origin/],
    [DatabaseUrl, 'localhost:5432', /postgres:\/\//],
    [ApiAudience, 'hexabase', /https address/],
  ])('says what an address must be', (Address, value, expected) => {
    const read = (env: NodeJS.ProcessEnv) => () =>
      parseEnvironment(z.object({ ADDRESS: Address }), env);
    expect(read({ ADDRESS: value })).toThrow(expected);
    expect(read({})).toThrow(/not set/);
  });

  it('refuses a value and a file for the same key', () => {
    expect(() => parseEnvironment(Schema, { PORT: '1', SECRET: 'x', SECRET_FILE: '/x' })).toThrow(
      /SECRET or SECRET_FILE/,
    );
  });
});
