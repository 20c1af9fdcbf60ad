/** What the commands for operators have in common: settings, a connection, and how others are told. */
import * as z from 'zod';
import { createDatabase } from '#database/pool.ts';
import { DatabaseUrl, NatsUrl, parseEnvironment, readOrExit } from '#runtime/config.ts';
import { createDoorbell, DOORBELL_SUBJECTS } from '#runtime/doorbell.ts';
import { createEncryption, EncryptionKeys } from '#runtime/encryption.ts';
import { createLogger } from '#runtime/log.ts';
import type { KeyChangeDeps } from './change-keys.ts';

const CommandConfig = z.object({
  DATABASE_URL: DatabaseUrl,
  ENCRYPTION_KEY: EncryptionKeys,
  /** As the other services have it, for them to be told at once. */
  NATS_URL: NatsUrl,
});

/** What a command works with. */
export type CommandContext = KeyChangeDeps & {
  readonly print: (line: string) => void;
  /** Tells the services that keys have changed; they would find out within seconds. */
  readonly ring: (kid: string) => Promise<void>;
};

/** Runs a command with the issuer's settings; the process ends with 1 when it answers false or fails. */
export const runCommand = async (
  command: (context: CommandContext) => Promise<boolean>,
): Promise<void> => {
  const config = readOrExit((env) => parseEnvironment(CommandConfig, env));
  const log = createLogger('issuer', 'warn');
  await using stack = new AsyncDisposableStack();
  const database = await createDatabase({ connectionString: config.DATABASE_URL });
  stack.defer(() => database.end());
  const doorbell = stack.use(
    await createDoorbell({ databaseUrl: config.DATABASE_URL, natsUrl: config.NATS_URL, log }),
  );
  const isDone = await command({
    database,
    encryption: createEncryption(config.ENCRYPTION_KEY),
    print: (line) => void process.stdout.write(`${line}\n`),
    ring: (kid) => doorbell.ring(DOORBELL_SUBJECTS.keysChanged, kid),
  });
  if (!isDone) process.exitCode = 1;
};
