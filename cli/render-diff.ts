/** A diff as text: unified diffs of YAML, which `patch` and reviewers read. Pure. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { stringify } from 'yaml';
import type { Schemas } from '../client/client.ts';
import { toPrintable } from './printable.ts';

type ClusterDiff = Schemas['ClusterDiff'];
type ObjectDiff = Schemas['ObjectDiff'];
type Shown = ObjectDiff['before'];

/** What would change, object by object; empty when nothing would. Lines with # say what is about it. */
export const renderDiff = ({ objects }: Pick<ClusterDiff, 'objects'>): string =>
  objects.map(renderObject).join('');

/** What is to be known besides, a line each. */
export const renderNotes = ({ omitted, notes }: ClusterDiff): string =>
  [...notes, ...(omitted > 0 ? [`${omitted} more objects would change and are not shown.`] : [])]
    .map((note) => `${toPrintable(note)}\n`)
    .join('');

const renderObject = (object: ObjectDiff): string => {
  const { action, kind, namespace, name, before, after, checked, refusal } = object;
  const place = toPrintable([namespace, name].filter((part) => part !== null).join('/'));
  const remarks = [
    `${action} ${kind} ${place}`,
    ...(refusal === null ? [] : [`refused by the API server: ${toPrintable(refusal)}`]),
    ...(checked ? [] : ['the API server was not asked']),
  ];
  const path = `${kind}/${place}`;
  const patch = createTwoFilesPatch(
    before ? `live/${path}` : '/dev/null',
    after ? `desired/${path}` : '/dev/null',
    toYaml(before),
    toYaml(after),
    undefined,
    undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY },
  );
  return `${remarks.map((remark) => `# ${remark}\n`).join('')}${patch}`;
};

const FIRST = ['apiVersion', 'kind', 'metadata'];

/** Sorted, so that only what differs differs; long lines stay lines. */
const toYaml = (object: Shown): string => {
  if (!object) return '';
  const rank = (key: string) => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
  const entries = Object.entries(object)
    .toSorted(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([key, value]) => [key, sortKeys(value)]);
  const text = stringify(Object.fromEntries(entries), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
  return text.split('\n').map(toPrintable).join('\n');
};

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortKeys(each)]));
};
