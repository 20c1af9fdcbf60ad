/** Every attack once more, against clusters that existed before and were attached. */
import { createTestOwners } from '../../support/attached-cluster.ts';
import { attackPlanesOf } from '../../support/attacks/planes.ts';

attackPlanesOf(createTestOwners);
await import('./attack.test.ts');
