import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Unit, then integration, then end-to-end: each has the whole machine.
  test: {
    restoreMocks: true,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{domain,database,runtime,issuer,tenancy-api,rbac-sync,cli,quickstart}/**/*.test.ts',
          ],
          // None takes a second; a busy machine may.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['./test/support/global-setup.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 180_000,
          // One more than the cores of a small machine: much of the time goes into waiting for servers.
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: 'end-to-end',
          include: ['test/end-to-end/**/*.test.ts'],
          globalSetup: ['./test/support/global-setup.ts'],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
