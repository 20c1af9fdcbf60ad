/** A server under measurement: a process of its own, whose CPU time is nobody else's. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Statement } from './statements.ts';

/** What a server is told at its start. */
export type ServerSettings = {
  readonly databaseUrl: string;
  readonly issuer: { readonly url: string; readonly certificateAuthority: string };
  readonly audience: string;
  /** For the peer: what the API does, request by request. */
  readonly recordings?: Readonly<Record<string, Recording>>;
};

/** One request's statements; in each new request `fresh` is another text, and so are ids not `known`. */
export type Recording = {
  readonly statements: readonly Statement[];
  readonly fresh: string;
  readonly known: readonly string[];
};

/** The requests that are measured. */
export type RequestName = 'read' | 'list' | 'create' | 'change';

/** A running server. */
export type MeasuredServer = AsyncDisposable & {
  readonly url: string;
  /** Seconds of CPU, of user and system, since its start. */
  readonly cpuSeconds: () => Promise<number>;
  /** The statements of the last request, as PostgreSQL got them. */
  readonly lastStatements: () => Promise<Statement[]>;
};

/** @param file the server's module, beside this one */
export const startServer = async (
  file: string,
  settings: ServerSettings,
  args: readonly string[] = [],
): Promise<MeasuredServer> => {
  const child = fork(new URL(file, import.meta.url), args, {
    serialization: 'advanced',
    // Its log is written, as in production, and kept by nobody.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const url = await ask<string>(child, settings);
  return {
    url,
    cpuSeconds: () => ask<number>(child, 'cpu'),
    lastStatements: () => ask<Statement[]>(child, 'statements'),
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
};

const ask = async <Answer>(child: ChildProcess, question: unknown): Promise<Answer> => {
  using cleanup = new DisposableStack();
  const answered = Promise.withResolvers<unknown>();
  const onExit = (code: number | null) =>
    answered.reject(new Error(`the server exited with ${code}`));
  child.on('message', answered.resolve).on('exit', onExit);
  cleanup.defer(() => child.off('message', answered.resolve).off('exit', onExit));
  child.send(question as object);
  return (await answered.promise) as Answer;
};

/** The server's side: starts with the settings, then answers questions until its parent is gone. */
export const serveParent = (
  start: (settings: ServerSettings) => Promise<string>,
  readStatements: () => readonly Statement[] = () => [],
): void => {
  process.on('message', async (question: 'cpu' | 'statements' | ServerSettings) => {
    if (question === 'cpu') {
      const { user, system } = process.cpuUsage();
      process.send?.((user + system) / 1e6);
    } else if (question === 'statements') process.send?.(readStatements());
    else process.send?.(await start(question));
  });
  process.on('disconnect', () => process.exit());
};
