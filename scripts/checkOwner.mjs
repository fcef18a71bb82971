// Before a release: the placeholder OWNER in package.json must have become an account, or links and provenance lead nowhere. A dry run
// may go on without.
import { readFile } from 'node:fs/promises';

const { repository, homepage, bugs } = JSON.parse(
  await readFile(new URL('../package.json', import.meta.url), 'utf8'),
);
if ([repository.url, homepage, bugs.url].some((address) => address.includes('/OWNER/'))) {
  console.error('package.json: put the account that publishes in place of OWNER, see CONTRIBUTING.md.');
  if (process.env.npm_config_dry_run !== 'true') process.exitCode = 1;
}
