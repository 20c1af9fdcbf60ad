/** On which control planes the attacks are made: a test file says it before it imports them. */
import { createTestProvisioner, type TestProvisioner } from '../kube.ts';

/** Control planes, and the issuer that they trust. */
export type AttackedPlanes = Omit<TestProvisioner, 'directory'>;

type Create = () => Promise<AttackedPlanes>;

let create: Create = createTestProvisioner;

/** Has the attacks of this test file go against other control planes than local ones. */
export const attackPlanesOf = (other: Create): void => {
  create = other;
};

/** The control planes to attack. */
export const createAttackedPlanes: Create = () => create();
