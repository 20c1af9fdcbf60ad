/** Reads a service's settings from the environment, once, in its main.ts. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';

/**
 * Parses the environment by a schema and freezes the result. For each key `X` of the schema, `X_FILE`
 * may name a file that holds the value instead (Kubernetes and Docker secrets); both is a fault.
 *
 * @throws Error that names every fault at once, never a value
 */
export const parseEnvironment = <Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: NodeJS.ProcessEnv,
): Readonly<z.infer<z.ZodObject<Shape>>> => {
  const faults: string[] = [];
  const unread = new Set<string>();
  const values: Record<string, string | undefined> = {};
  for (const key of Object.keys(schema.shape)) {
    try {
      values[key] = readValue(key, env);
    } catch (error) {
      unread.add(key);
      faults.push(`✖ ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const result = schema.safeParse(values, {
    error: ({ path: [key] = [], input }) => {
      if (values[String(key)] === undefined) return 'It is not set, and has no default';
      return input === undefined ? 'It is missing' : undefined;
    },
  });
  const issues = result.error?.issues.filter(({ path: [key] }) => !unread.has(String(key))) ?? [];
  if (issues.length > 0) faults.push(z.prettifyError({ issues }));
  if (!result.success || faults.length > 0) {
    throw new Error(`The environment is not valid:\n${faults.join('\n')}`);
  }
  return Object.freeze(result.data);
};

/**
 * A service's settings, for its main.ts: what is wrong with them is told in words, and the process ends with 1.
 *
 * @param read throws for settings that are not valid
 */
export const readOrExit = <Config>(read: (env: NodeJS.ProcessEnv) => Config): Config => {
  try {
    return read(process.env);
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : error}\nEvery setting is in docs/configuration.md.\n`,
    );
    process.exit(1);
  }
};

const readValue = (key: string, env: NodeJS.ProcessEnv): string | undefined => {
  const value = env[key] === '' ? undefined : env[key];
  const file = env[`${key}_FILE`];
  if (file === undefined || file === '') return value;
  if (value !== undefined) throw new Error(`Set ${key} or ${key}_FILE, not both`);
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    throw new Error(`${key}_FILE can’t be read: ${(error as Error).message}`);
  }
};

/** Says this of a value that isn't right; that one is missing is said by {@link parseEnvironment}. */
export const unlessMissing =
  (words: string) =>
  ({ input }: { readonly input?: unknown }): string | undefined =>
    input === undefined ? undefined : words;

/** A TCP port; 0 lets the system choose. */
export const Port = z.coerce.number().int().min(0).max(65_535);

const ORIGIN = 'Must be an https origin, such as https://login.example.com, with no path or slash.';

/** The issuer's origin exactly as in the tokens' `iss`: https, with no path and no final slash. */
export const IssuerUrl = z
  .url({ protocol: /^https$/, error: unlessMissing(ORIGIN), abort: true })
  .refine((url) => new URL(url).origin === url, ORIGIN);

/** The audience of the API's access tokens, and its resource indicator (RFC 8707). */
export const ApiAudience = z.url({
  protocol: /^https?$/,
  error: unlessMissing('Must be an http or https address, such as https://api.example.com/.'),
});

/** With it the doorbell is NATS; without, PostgreSQL. */
export const NatsUrl = z
  .url({ protocol: /^(nats|tls)$/, error: 'Must be nats://… or tls://….' })
  .optional();

/** A PostgreSQL connection string. */
export const DatabaseUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: unlessMissing('Must be postgres://user:password@host:port/database.'),
});

/** `true` or `false`, as text. */
export const Flag = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] });

/** A value written as JSON; what it must be is piped after it. */
export const Json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'Must be JSON.' });
    return z.NEVER;
  }
});

/** The settings that every service has. */
export const commonSettings = {
  DATABASE_URL: DatabaseUrl,
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  HOST: z.string().default('127.0.0.1'),
  NODE_ENV: z.enum(['production', 'development', 'test']).default('production'),
};
