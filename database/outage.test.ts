import { BackendTerminatedError, ConnectionError, NotFoundError } from 'slonik';
import { describe, expect, it } from 'vitest';
import { DatabaseUnavailableError, isOutage } from './outage.ts';

const withCode = (code: string, more: object = {}) =>
  Object.assign(new Error('from below'), { code, ...more });

describe('isOutage', () => {
  it.each([
    ['no answer', new DatabaseUnavailableError('late')],
    ['no connection', new ConnectionError('refused')],
    ['a killed backend', new BackendTerminatedError(new Error('killed'))],
    ['a refused connection', withCode('ECONNREFUSED', { syscall: 'connect' })],
    ['a broken connection', withCode('ECONNRESET', { syscall: 'read' })],
    ['a server that is stopping', withCode('57P01')],
    ['a server that is starting', withCode('57P03')],
    ['too many connections', withCode('53300')],
    ['a primary that is none any more', withCode('25006')],
    ['a cause of it', new Error('could not load', { cause: withCode('08006') })],
    ['a connection that broke in the pool', new Error('Client is destroyed.')],
  ])('is true of %s', (_name, error) => {
    expect(isOutage(error)).toBe(true);
  });

  it.each([
    ['no row', new NotFoundError('none', { sql: '', values: [] } as never)],
    ['a broken constraint', withCode('23505')],
    ['a wrong statement', withCode('42P01')],
    ['another program’s broken connection', withCode('ECONNRESET')],
    ['a bug', new TypeError('x is not a function')],
    ['something that is no error', 'ECONNREFUSED'],
    ['nothing', undefined],
  ])('is false of %s', (_name, error) => {
    expect(isOutage(error)).toBe(false);
  });
});
