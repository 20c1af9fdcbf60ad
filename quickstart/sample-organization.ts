import { readFile } from 'node:fs/promises';

/** Groups with their members by the connector's subjects: the body of an import. */
export type ImportedOrganization = {
  readonly connector: string;
  readonly groups: readonly {
    readonly name: string;
    readonly parent: string | null;
    readonly members: readonly string[];
  }[];
};

/** The sample organisation, eight levels deep. */
export const readSampleOrganization = async (): Promise<ImportedOrganization> =>
  JSON.parse(await readFile(new URL('sample-organization.json', import.meta.url), 'utf8'));
