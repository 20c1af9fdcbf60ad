import { expect, it } from 'vitest';
import { toDeprecationHeaders } from './deprecation.ts';

const since = new Date('2030-01-01T00:00:00.900Z');

it.each([
  ['nothing for a route that stays', undefined, {}],
  ['since when', { since }, { Deprecation: '@1893456000' }],
  [
    'since when, until when and what instead',
    { since, sunset: new Date('2030-07-01T00:00:00Z'), link: 'https://example.test/v2' },
    {
      Deprecation: '@1893456000',
      Sunset: 'Mon, 01 Jul 2030 00:00:00 GMT',
      Link: '<https://example.test/v2>; rel="deprecation"',
    },
  ],
])('says %s', (_, deprecation, headers) => {
  expect(toDeprecationHeaders(deprecation)).toEqual(headers);
});
