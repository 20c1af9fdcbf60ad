/**
 * `npm test`: runs every project, then prints what the runner itself counted as one last line. A
 * skipped test is a failure here: nothing may be left out silently.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What vitest's JSON reporter writes. */
type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
};

const directory = mkdtempSync(join(tmpdir(), 'hexabase-tests-'));
const file = join(directory, 'report.json');
const { status } = spawnSync(
  'vitest',
  [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
const report = readReport();
rmSync(directory, { recursive: true });
const skipped = report.numPendingTests + report.numTodoTests;
// An error outside of any test fails the run too, and must show in the count.
const failed = report.numFailedTests + skipped || (status === 0 ? 0 : 1);
if (skipped > 0) console.error(`${skipped} tests were skipped; every test must run.`);
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exitCode =
  status === 0 && report.success && failed === 0 && report.numPassedTests > 0 ? 0 : 1;

/** Without a report nothing ran: the set-up failed, and has said why above. */
function readReport(): Report {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  return {
    numPassedTests: 0,
    numFailedTests: 1,
    numPendingTests: 0,
    numTodoTests: 0,
    success: false,
  };
}
