// Sums the JSON reports of the named test suites: a summary of each, then "N passed, N failed" on the last line.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...suites] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const suite of suites) {
  const file = join(folder, `${suite}.json`);
  if (!existsSync(file)) {
    console.log(`${suite}: did not run to its end`);
    failed++;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  // A file that cannot even be loaded has no tests to fail: it counts as one.
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failures = report.numFailedTests + unloaded;
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(`${suite}: ${report.numPassedTests} passed, ${failures} failed, ${skipped} skipped`);
  passed += report.numPassedTests;
  failed += failures;
}
console.log(`${passed} passed, ${failed} failed`);
