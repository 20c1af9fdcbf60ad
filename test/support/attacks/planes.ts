/** On which control planes the attacks are made: a test file says it before it imports them. */
import type { TestDatabase } from '../database.ts';
import { createTestProvisioner, type TestProvisioner } from '../kube.ts';

/** Control planes, and the issuer that they trust. */
export type AttackedPlanes = Omit<TestProvisioner, 'directory'>;

type Create = (database: TestDatabase) => Promise<AttackedPlanes>;

let create: Create = () => createTestProvisioner();

/** Has the attacks of this test file go against other control planes than local ones. */
export const attackPlanesOf = (other: Create): void => {
  create = other;
};

/** The control planes to attack, of the workspaces in a database. */
export const createAttackedPlanes: Create = (database) => create(database);
