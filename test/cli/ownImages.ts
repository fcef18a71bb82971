import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng, RandomStream } from 'tfjs-flows';

const SIDE = 8;

/**
 * Somebody's own images: a folder per class, and their table `table.csv`. A hat is a bright top, half of every class wears one;
 * `size` is how bright the rest is.
 *
 * @param counts images per class
 */
export function writeOwnImages(root: string, counts: Readonly<Record<string, number>>): void {
  const random = new RandomStream(7);
  const lines = ['file,class,hat,size'];
  Object.entries(counts).forEach(([name, count], c) => {
    mkdirSync(join(root, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const hat = i % 2 === 0;
      const size = 40 + 10 * random.integer(9);
      const data = Uint8Array.from({ length: SIDE ** 2 }, (_, at) => {
        const [row, column] = [Math.floor(at / SIDE), at % SIDE];
        const level = row < 2 ? (hat ? 200 : 30) : column === c ? 10 : size;
        return level + random.integer(20);
      });
      const file = `${name}/${i}.png`;
      writeFileSync(join(root, file), encodePng({ width: SIDE, height: SIDE, channels: 1, data }));
      lines.push([file, name, hat ? 'yes' : 'no', size].join(','));
    }
  });
  writeFileSync(join(root, 'table.csv'), `${lines.join('\n')}\n`);
}

/** A study that takes seconds. */
export const smallStudy = {
  glow: { imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 2, hiddenChannels: 8, nBits: 4 },
  training: { steps: 24, batchSize: 16, evaluateEvery: 8, learningRate: 0.01, warmupSteps: 4 },
  report: { samples: 4, originals: 2, strengths: [-1, 0, 1] },
};
