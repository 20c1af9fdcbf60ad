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
  const values: Record<string, string | undefined> = {};
  for (const key of Object.keys(schema.shape)) {
    try {
      values[key] = readValue(key, env);
    } catch (error) {
      faults.push(`✖ ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const result = schema.safeParse(values, {
    error: ({ path: [key] = [] }) =>
      values[String(key)] === undefined ? 'It is not set, and has no default' : undefined,
  });
  if (!result.success) faults.push(z.prettifyError(result.error));
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
  return readFileSync(file, 'utf8').trimEnd();
};

/** A TCP port; 0 lets the system choose. */
export const Port = z.coerce.number().int().min(0).max(65_535);

/** The issuer's origin exactly as in the tokens' `iss`: https, with no path and no final slash. */
export const IssuerUrl = z
  .url({ protocol: /^https$/ })
  .refine((url) => new URL(url).origin === url, 'Must be an https origin, with no path or slash.');

/** The audience of the API's access tokens, and its resource indicator (RFC 8707). */
export const ApiAudience = z.url({ protocol: /^https?$/ });

/** With it the doorbell is NATS; without, PostgreSQL. */
export const NatsUrl = z.url({ protocol: /^(nats|tls)$/ }).optional();

/** A PostgreSQL connection string. */
export const DatabaseUrl = z.url({ protocol: /^postgres(ql)?$/ });

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
