/**
 * Reading image files: CelebA's size, 178 x 218 JPEG to 64 x 64.
 *
 *     npm run bench:decoding [-- images]      default: 5000
 *
 * Prints how long all files take by jpeg-js on the main thread, as it was before, and on 0, 1 and 2 threads of their own; and how long the steps of a
 * small Glow wait for their batches, in the first pass and in the next, when images are kept.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import jpeg from 'jpeg-js';
import { RandomStream, resizeRaster } from 'tfjs-flows';
import { bundle } from '../../test/support/bundle';

const count = Number(process.argv[2] ?? 5000);
const [width, height] = [178, 218];
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-decoding-'));
const programs = here('../../output/decoding');
try {
  writePictures();
  mkdirSync(programs, { recursive: true });
  await bundle([here('./read.ts'), here('../../src/node/decoding/decodeWorker.ts')], programs);
  const run = (...words: string[]) =>
    execFileSync(process.execPath, [join(programs, 'read.mjs'), folder, ...words], {
      encoding: 'utf8',
    }).trim();
  const before = Number(run('before'));
  console.log(`${count} files of ${width} x ${height}: seconds, and times as fast`);
  console.log(`jpeg-js, main thread   ${before.toFixed(2)}`);
  for (const threads of ['0', '1', '2']) {
    const seconds = Number(run('read', threads));
    console.log(`threads: ${threads}             ${seconds.toFixed(2)}   ${(before / seconds).toFixed(1)}`);
  }
  console.log('waiting for batches, ms per step of a small Glow: first pass, second pass');
  for (const threads of ['0', '1', '2'])
    console.log(`threads: ${threads}             ${run('train', threads)}`);
} finally {
  rmSync(folder, { recursive: true });
  rmSync(programs, { recursive: true, force: true });
}

/** Fifty pictures of clouds of several sizes with some noise, under many names. */
function writePictures(): void {
  const random = new RandomStream(1);
  const files = Array.from({ length: 50 }, () => {
    const data = new Uint8Array(width * height * 4).fill(255);
    for (const side of [3, 7, 17, 41, 97]) {
      const cells = { width: side, height: side, channels: 3, data: random.permutation(side * side * 3) };
      const levels = Uint8Array.from(cells.data, (value) => value % 256);
      const cloud = resizeRaster({ ...cells, data: levels }, width, height).data;
      for (let i = 0; i < width * height; i++) {
        for (let channel = 0; channel < 3; channel++) {
          const old = side === 3 ? 128 : data[4 * i + channel];
          data[4 * i + channel] = old + (cloud[3 * i + channel] - 128) * (1.2 / Math.sqrt(side));
        }
      }
    }
    return jpeg.encode({ width, height, data }, 92).data;
  });
  for (let i = 0; i < count; i++) {
    writeFileSync(join(folder, `${String(i + 1).padStart(6, '0')}.jpg`), files[i % files.length]);
  }
}
