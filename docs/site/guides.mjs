/**
 * Guides as pages of typedoc's site: a guide takes its title from its first heading, its group from its folder and its address from
 * its file name, so that the Markdown files need no front matter.
 */
import { basename } from 'node:path';
import { Converter, KindRouter } from 'typedoc';

const inStart = new Set([
  'quick-start-node',
  'quick-start-gpu',
  'quick-start-page',
  'quick-start-notebook',
  'concepts',
  'gallery',
]);

function groupOf(file) {
  if (/\/docs\/how-to\//.test(file)) return 'How to';
  if (/\/examples\//.test(file)) return 'Examples';
  return inStart.has(basename(file, '.md')) ? 'Start' : 'Guides';
}

/** The file's name; a README is told by its folders. */
function addressOf(file) {
  const [parent, folder, name] = file.split('/').slice(-3);
  if (name !== 'README.md') return `guides/${basename(name, '.md')}`;
  return `guides/${parent === 'examples' ? `example-${folder}` : folder}`;
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  const addresses = new Map();

  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, guide) => {
    const file = guide.project.files.getReflectionPath(guide);
    const heading = /^# (.+)$/m.exec(guide.content.map(({ text }) => text).join(''));
    addresses.set(guide, addressOf(file));
    guide.name = heading[1].replaceAll('`', '');
    guide.frontmatter.group = groupOf(file);
  });

  app.renderer.defineRouter(
    'guides',
    class extends KindRouter {
      getIdealBaseName(reflection) {
        return addresses.get(reflection) ?? super.getIdealBaseName(reflection);
      }
    },
  );
}
