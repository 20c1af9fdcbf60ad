/** What every cluster starts with: `manifests/*.yaml`, in the order of the files' names. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

const DIRECTORY = new URL('../manifests/', import.meta.url);

/** Grows with every change of the manifests, so that clusters made before get them too. */
export const BOOTSTRAP_VERSION = 3;

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** An object of a manifest. */
export type Manifest = z.infer<typeof Manifest>;

/** All objects of the manifests. @throws when a file isn't YAML of Kubernetes objects */
export const readManifests = (): Manifest[] =>
  readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => parseManifests(readFileSync(new URL(name, DIRECTORY), 'utf8')));

const parseManifests = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => {
    const [error] = document.errors ?? [];
    if (error) throw error;
    return Manifest.parse(document.toJS());
  });

const PLURALS: Record<string, string> = {
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
};

/** The path of a manifest's object at the API server. */
export const toManifestPath = ({ apiVersion, kind, metadata }: Manifest): string => {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace ? `/namespaces/${metadata.namespace}` : '';
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  return `${base}${scope}/${plural}/${encodeURIComponent(metadata.name)}`;
};
