/** Parameters of OAuth and OpenID Connect as an attacker writes them: values, spellings, repetitions. */
import fc from 'fast-check';

/** Parameters by name, each as it stands in a query or a form, percent-encoded; a name may come again. */
export type RawParameters = readonly (readonly [name: string, value: string])[];

/** A value as raw text: nothing that a parser would have to take as UTF-8, or at all. */
const RAW_VALUES: readonly string[] = [
  '',
  '+',
  '%',
  '%%',
  '%0',
  '%zz',
  '%00',
  '%00%00',
  '%0d%0aSet-Cookie:%20x=y',
  '%0aLocation:%20https://evil.example',
  '%ff',
  '%ff%fe%fd',
  '%c0%ae%c0%ae',
  '%ed%a0%80',
  '%f5%80%80%80',
  '%e2%80%ae',
  '%ef%bb%bf',
  '%uD800',
  'null',
  'undefined',
  'true',
  '-1',
  '0',
  '1e309',
  'NaN',
  '9007199254740993',
  '[object%20Object]',
  '__proto__',
  'constructor',
  'toString',
  '%7b%7d',
  '%5b%5d',
  '%7b%22id_token%22:%7b%22groups%22:null%7d%7d',
  '%7b%22__proto__%22:%7b%22admin%22:true%7d%7d',
  '%5b%5b%5b%5b%5b%5b%5b%5b',
  'openid',
  'openid%20openid',
  'openid%20api%20groups%20system:masters',
  'code',
  'token',
  'id_token',
  'code%20id_token%20token',
  'none',
  'login',
  'consent',
  'select_account',
  'none%20login',
  'create',
  'query',
  'fragment',
  'form_post',
  'form_post.jwt',
  'jwt',
  'web_message',
  'S256',
  'plain',
  's256',
  'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  'eyJhbGciOiJub25lIn0.e30.',
  'urn:ietf:params:oauth:request_uri:x',
  'https://evil.example/request.jwt',
  'http://169.254.169.254/latest/meta-data/',
  'https://evil.example/',
  'local',
  '../../local',
  'alice',
  "' OR 1=1 --",
  '%27;DROP TABLE person;--',
  '$(id)',
  '{{7*7}}',
  'a'.repeat(5_000),
];

const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

const rawValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...RAW_VALUES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 50 }).map(encode) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map(toPercent) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }).map(encode) },
);

function toPercent(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

/** How a name may be spelled besides: as an array, as an object's member, or not at all. */
const spelled = (name: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(name) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...[`${name}[]`, `${name}[0]`, `${name}[a]`, `${name}%00`, `%20${name}`],
        ...[name.toUpperCase(), `${name}.x`, `__proto__[${name}]`, `${name};x`],
      ),
    },
  );

/**
 * A valid request with some parameters replaced, repeated or left out and others added.
 *
 * @param valid the request, not encoded
 * @param others names that may come besides
 */
export const tampered = (
  valid: Readonly<Record<string, string>>,
  others: readonly string[],
): fc.Arbitrary<RawParameters> => {
  const names = [...Object.keys(valid), ...others];
  const change = fc.constantFrom(...names).chain((name) =>
    fc.record({
      name: spelled(name),
      value: rawValue,
      how: fc.constantFrom('replace', 'replace', 'repeat', 'remove', 'twice'),
    }),
  );
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let parameters: RawParameters = Object.entries(valid).map(
      ([name, value]) => [name, encode(value)] as const,
    );
    for (const { name, value, how } of changes) {
      if (how !== 'repeat') parameters = parameters.filter(([each]) => each !== name);
      if (how !== 'remove') parameters = [...parameters, [name, value]];
      if (how === 'twice') parameters = [...parameters, [name, value]];
    }
    return parameters;
  });
};

/** As it goes over the wire. */
export const toQuery = (parameters: RawParameters): string =>
  parameters
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
    .replaceAll(' ', '%20');

/** Media types of a body that is a form, or isn't. */
export const contentType: fc.Arbitrary<string | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('application/x-www-form-urlencoded') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      undefined,
      'application/x-www-form-urlencoded; charset=utf-16',
      'application/x-www-form-urlencoded; charset=nonsense',
      'APPLICATION/X-WWW-FORM-URLENCODED',
      'application/json',
      'application/jwt',
      'multipart/form-data; boundary=x',
      'multipart/form-data',
      'text/plain',
      'text/html;;;',
      '*/*',
      ';',
    ),
  },
);
