import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encodePng } from 'tfjs-flows';
import { openImages, readImages } from 'tfjs-flows/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** Calls of the file system, and a folder that is there only in `huge`. */
const { calls, huge } = vi.hoisted(() => ({ calls: [] as string[], huge: new Map<string, unknown[]>() }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>();
  return {
    ...original,
    readdir: (path: string, options: never) => {
      calls.push(`readdir ${path}`);
      return huge.has(path) ? Promise.resolve(huge.get(path)) : original.readdir(path, options);
    },
    stat: (path: string) => {
      calls.push(`stat ${path}`);
      return original.stat(path);
    },
  };
});

const grey = encodePng({ width: 2, height: 2, channels: 1, data: Uint8Array.of(5, 5, 5, 5) });
const appleDouble = Uint8Array.of(0, 5, 22, 7);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-folders-'));
  calls.length = 0;
  huge.clear();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(files: Record<string, Uint8Array | string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

async function open(files: Record<string, Uint8Array | string>) {
  write(files);
  const dataset = await openImages('folder', folder, { imageShape: [2, 2, 1] });
  await readImages(dataset);
  return { names: dataset.names, classes: dataset.labels?.classes, notices: dataset.notices };
}

const [cat, dog] = [join('cats', '1.png'), join('dogs', '1.png')];
const two = { [cat]: grey, [dog]: grey };

describe('folders of images', () => {
  it.each<[string, Record<string, Uint8Array | string>, number]>([
    ["macOS' ._ files", { 'cats/._1.png': appleDouble, 'dogs/._1.png': appleDouble }, 2],
    ['.ipynb_checkpoints', { '.ipynb_checkpoints/1-checkpoint.png': grey }, 1],
    ['__MACOSX beside', { '__MACOSX/cats/._1.png': appleDouble }, 1],
    ['hidden folders in classes', { 'cats/.thumbnails/1.png': grey, '.DS_Store': appleDouble }, 2],
  ])('leave out %s', async (_, files, count) => {
    const { notices, ...opened } = await open({ ...two, ...files });
    expect(opened).toEqual({ names: [cat, dog], classes: ['cats', 'dogs'] });
    expect(notices).toEqual([expect.stringContaining(`Left out: ${count} hidden.`)]);
  });

  it('tell what they leave out by its ending, and name no class after it', async () => {
    const { notices, classes } = await open({
      ...two,
      'cats/2.HEIC': grey,
      'cats/3.heic': grey,
      'dogs/notes.txt': 'x',
      'birds/1.heic': grey,
      README: 'x',
    });
    expect(classes).toEqual(['cats', 'dogs']);
    expect(notices).toEqual([
      expect.stringMatching(/^Left out: 1 without an ending, 3 \.heic, 1 \.txt\. JPEG, PNG, .* are read\.$/),
    ]);
    rmSync(join(folder, 'cats'), { recursive: true });
    rmSync(join(folder, 'dogs'), { recursive: true });
    await expect(open({})).rejects.toThrow(/got none\. Left out: 1 without an ending, 1 \.heic\./);
  });

  it('take .jfif and .jpe, whatever the picture is by its content', async () => {
    const { names, notices } = await open({ ...two, 'dogs/2.jfif': grey, 'dogs/3.JPE': grey });
    expect(names).toEqual([cat, dog, join('dogs', '2.jfif'), join('dogs', '3.JPE')]);
    expect(notices).toEqual([]);
  });

  it('say where the images lie, two folders down', async () => {
    const split = { 'test/cats/1.png': grey, 'train/cats/1.png': grey, 'train/dogs/1.png': grey };
    await expect(open(split)).rejects.toThrow(
      `got images two folders down, in '${join('train', 'cats')}'. Give the folder that holds the classes, as '${join(folder, 'train')}'.`,
    );
    rmSync(join(folder, 'test'), { recursive: true });
    rmSync(join(folder, 'train'), { recursive: true });
    await expect(open({ 'data/cats/1.png': grey, '__MACOSX/._1.png': appleDouble })).rejects.toThrow(
      `as '${join(folder, 'data')}'`,
    );
  });

  it('tell of images two folders down beside others', async () => {
    const { classes, notices } = await open({ ...two, 'birds/images/1.png': grey });
    expect(classes).toEqual(['cats', 'dogs']);
    expect(notices).toEqual([`Images two folders down are left out: '${join('birds', 'images')}'.`]);
  });

  it('follow links', async () => {
    write(two);
    const links = mkdtempSync(join(tmpdir(), 'tfjs-flows-links-'));
    symlinkSync(join(folder, 'cats'), join(links, 'felines'));
    mkdirSync(join(links, 'others'));
    symlinkSync(join(folder, dog), join(links, 'others', 'a.png'));
    const dataset = await openImages('folder', links, { imageShape: [2, 2, 1] });
    rmSync(links, { recursive: true });
    expect(dataset.names).toEqual([join('felines', '1.png'), join('others', 'a.png')]);
  });

  it('list 202,599 images of a class without a look at each', async () => {
    const count = 202_599;
    mkdirSync(join(folder, 'img_align_celeba'));
    const entries = Array.from({ length: count }, (_, i) => ({
      name: `${String(count - i).padStart(6, '0')}.jpg`,
      isDirectory: () => false,
      isSymbolicLink: () => false,
    }));
    huge.set(join(folder, 'img_align_celeba'), entries);
    const dataset = await openImages('folder', folder, { imageShape: [64, 64, 3] });
    expect(dataset.names).toHaveLength(count);
    expect(dataset.names[0]).toBe(join('img_align_celeba', '000001.jpg'));
    expect(dataset.labels?.classes).toEqual(['img_align_celeba']);
    expect(dataset.labels?.values).toEqual(new Int32Array(count));
    expect(calls).toEqual([`readdir ${folder}`, `readdir ${join(folder, 'img_align_celeba')}`]);
  });
});
