import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import { parseHTML } from 'linkedom';
import { beforeAll, describe, expect, it } from 'vitest';

const site = fileURLToPath(new URL('../../output/site/', import.meta.url));

interface Page {
  /** Addresses of links, pictures, scripts and style sheets, as they are written. */
  targets: string[];
  /** What a link may point at inside the page. */
  anchors: Set<string>;
  picturesWithoutText: string[];
  hasExample: boolean;
  /** Headings of a guide, and the same in the list at the right. */
  headings: string[];
  listed: string[];
}

async function readPage(path: string): Promise<Page> {
  const { document } = parseHTML(await readFile(join(site, path), 'utf8'));
  const all = (selector: string, attribute: string) =>
    [...document.querySelectorAll(selector)].map((element) => element.getAttribute(attribute)!);
  const texts = (selector: string) =>
    [...document.querySelectorAll(selector)].map((element) =>
      element.textContent!.replace(/\s+/g, ' ').trim(),
    );
  return {
    targets: [...all('[href]', 'href'), ...all('[src]', 'src')],
    anchors: new Set(all('[id]', 'id')),
    picturesWithoutText: [...document.querySelectorAll('img')]
      .filter((image) => !image.getAttribute('alt'))
      .map((image) => image.getAttribute('src')!),
    headings: texts('.tsd-typography :is(h1, h2, h3, h4)[id]'),
    listed: texts('.tsd-page-navigation a'),
    hasExample: document.querySelector('.tsd-tag-example') !== null,
  };
}

/** Addresses in the tree at the left, which a script draws from compressed JSON. */
async function navigationTargets(): Promise<string[]> {
  const [, text] = /"(.*)"/.exec(await readFile(join(site, 'assets/navigation.js'), 'utf8'))!;
  return JSON.stringify(JSON.parse(inflateSync(Buffer.from(text, 'base64')).toString()), null, 1)
    .split('\n')
    .flatMap((line) => /"path": "(.*?)"/.exec(line)?.[1] ?? []);
}

describe('the docs site', () => {
  let pages: Map<string, Page>;

  beforeAll(async () => {
    expect(existsSync(join(site, 'index.html')), 'output/site, by npm run docs').toBe(true);
    const paths = (await readdir(site, { recursive: true })).filter((path) => /\.(html|svg)$/.test(path));
    pages = new Map(await Promise.all(paths.map(async (path) => [path, await readPage(path)] as const)));
  });

  /** What is wrong with a target; undefined where it leads somewhere. */
  function complaintAbout(from: string, target: string): string | undefined {
    if (!URL.canParse(target, 'file:///')) return `${from}: ${target} is no address`;
    const base = pathToFileURL(join(site, from));
    const url = new URL(target, base);
    if (url.protocol !== 'file:') return undefined;
    const path = fileURLToPath(url);
    if (target.startsWith('/') || !path.startsWith(site)) return `${from}: ${target} leaves the site`;
    if (!existsSync(path)) return `${from}: ${target} leads nowhere`;
    const page = pages.get(path.slice(site.length));
    const anchor = decodeURIComponent(url.hash.slice(1));
    if (anchor !== '' && !page?.anchors.has(anchor)) return `${from}: ${target} has no such anchor`;
    return undefined;
  }

  it('has links, anchors and pictures that lead somewhere, from any folder it is put in', async () => {
    const complaints = [...pages].flatMap(([from, { targets }]) =>
      [...new Set(targets)].flatMap((target) => complaintAbout(from, target) ?? []),
    );
    expect(complaints).toEqual([]);
  });

  it('lists the headings of a guide whole, with the code in them', () => {
    const guides = [...pages].filter(
      ([path]) => path.startsWith('documents/guides/') || path.startsWith('guides/'),
    );
    expect(guides.length).toBeGreaterThan(20);
    for (const [path, { headings, listed }] of guides) {
      // The first heading is the page's title.
      expect([path, listed.filter((text) => text !== '')]).toEqual([
        path,
        expect.arrayContaining(headings.slice(1)),
      ]);
    }
    const [, { listed }] = guides.find(([path]) => path.endsWith('guides/attributes.html'))!;
    expect(listed).toContain('Directions: zDelta and manipulate');
  });

  it('has a navigation that leads to pages', async () => {
    const targets = await navigationTargets();
    expect(targets.length).toBeGreaterThan(100);
    expect(targets.flatMap((target) => complaintAbout('index.html', target) ?? [])).toEqual([]);
  });

  it('describes every picture for those who do not see it', () => {
    const missing = [...pages].flatMap(([path, { picturesWithoutText }]) =>
      picturesWithoutText.map((picture) => `${path}: ${picture}`),
    );
    expect(missing).toEqual([]);
  });

  it('shows an example of every public name', () => {
    const ofNames = [...pages].filter(([path]) =>
      /^(classes|functions|interfaces|types|variables)\//.test(path),
    );
    expect(ofNames.length).toBeGreaterThan(200);
    expect(ofNames.filter(([, page]) => !page.hasExample).map(([path]) => path)).toEqual([]);
  });
});
