import { readFileSync } from 'node:fs';
import { decodeImage, openImages, readImages } from 'tfjs-flows/node';

let started = 0;
process.on('worker', () => {
  started++;
});
const read = async (threads = 0) => {
  const dataset = await openImages('folder', 'pictures', { imageShape: [8, 8, 3], threads });
  return readImages(dataset, { skipUnreadable: true });
};
const beside = await read(2);
if (started !== 2) throw new Error(`${started} threads`);
const alone = await read(0);
if (started !== 2 || beside.images.shape[0] < 30)
  throw new Error('threads that nobody asked for, or few images');
if (JSON.stringify(beside) !== JSON.stringify(alone)) throw new Error('threads read other images');
const avif = beside.skipped.filter((reason) => reason.includes('npm install @jsquash/avif'));
if (avif.length !== 1) throw new Error(beside.skipped.join('\n'));
const { width, channels } = await decodeImage(readFileSync('pictures/palette.tif'));
if (width !== 43 || channels !== 3) throw new Error('palette.tif');
console.log('done');
