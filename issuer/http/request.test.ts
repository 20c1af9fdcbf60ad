import { describe, expect, it } from 'vitest';
import { traceOf, withoutSecrets } from './request.ts';

describe('withoutSecrets', () => {
  it.each([
    ['/auth', '/auth'],
    ['/device', '/device'],
    ['/device/auth', '/device/auth'],
    ['/token/revocation', '/token/revocation'],
    ['/interaction/s3cret', '/interaction/:uid'],
    ['/interaction/s3cret/sign-in/local', '/interaction/:uid/sign-in/local'],
    ['/auth/s3cret', '/auth/:uid'],
    ['/device/s3cret', '/device/:uid'],
    ['//interaction/s3cret/', '//interaction/:uid/'],
    ['/interaction//s3cret', '/interaction//:uid'],
    ['/Interaction/s3cret', '/Interaction/:uid'],
    ['/AUTH/s3cret/', '/AUTH/:uid/'],
    ['/x/../auth/s3cret', '/x/../auth/:uid'],
  ])('logs %s as %s', (path, logged) => {
    expect(withoutSecrets(path)).toBe(logged);
  });
});

describe('traceOf', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const span = '00f067aa0ba902b7';

  it('is the trace and the span of the caller', () => {
    expect(traceOf(`00-${trace}-${span}-01`)).toEqual({ trace_id: trace, parent_span_id: span });
  });

  it.each([
    '',
    `00-${trace}-${span}`,
    `ff-${trace}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${trace}\n-${span}-01`,
  ])('is none of %j', (header) => {
    expect(traceOf(header)).toEqual({});
  });
});
