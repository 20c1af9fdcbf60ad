/** Structured logs on standard output, one JSON object a line. */
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Header and property names whose values never reach a log. */
const SECRETS = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'code',
  'code_verifier',
  'password',
  'client_secret',
];

/**
 * The logger of a service.
 *
 * @param service its name, in every line
 */
export const createLogger = (service: string, level: string): Logger =>
  pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRETS.flatMap((name) => [name, name.startsWith('[') ? `*${name}` : `*.${name}`]),
      censor: '[redacted]',
    },
  });
