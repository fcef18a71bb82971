/**
 * Writes the CMU face images as somebody's own data: a folder per person, and the same as a table.
 *
 *     npx tsx examples/train-your-own/faces.ts [folder]
 *
 * Of the last two people there are five images each. Every fifth image is a JPEG, the others are PNG.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { encodePng, readNpz } from 'tfjs-flows';

const SIDE = 32;
const FEW = 5;
const EXPRESSIONS = ['neutral', 'happy', 'sad', 'angry'];
const POSES = ['forward', 'left', 'right', 'up'];

const root = process.argv[2] ?? 'output/own/faces';
const faces = readNpz(readFileSync(new URL('../data/cmu_faces_32x32.npz', import.meta.url)));
const people = Math.max(...faces.subject.data) + 1;
const counts = new Map<number, number>();
const lines = ['file,class,sunglasses,expression,pose'];

faces.subject.data.forEach((person, row) => {
  const count = (counts.get(person) ?? 0) + 1;
  if (person >= people - 2 && count > FEW) return;
  counts.set(person, count);
  const grey = Uint8Array.from(faces.images.data.subarray(row * SIDE ** 2, (row + 1) * SIDE ** 2));
  const name = `person-${String(person + 1).padStart(2, '0')}`;
  const file = `${name}/${String(count).padStart(2, '0')}.${row % 5 === 4 ? 'jpg' : 'png'}`;
  mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, file), row % 5 === 4 ? jpegOf(grey) : pngOf(grey));
  const sunglasses = faces.sunglasses.data[row] === 1 ? 'yes' : 'no';
  lines.push(
    [file, name, sunglasses, EXPRESSIONS[faces.expression.data[row]], POSES[faces.pose.data[row]]].join(','),
  );
});
writeFileSync(join(root, 'faces.csv'), `${lines.join('\n')}\n`);
console.log(`${lines.length - 1} images of ${people} people in ${root}, and their table in faces.csv`);

function pngOf(grey: Uint8Array): Uint8Array {
  return encodePng({ width: SIDE, height: SIDE, channels: 1, data: grey });
}

function jpegOf(grey: Uint8Array): Uint8Array {
  const colour = Uint8Array.from({ length: 4 * grey.length }, (_, i) => (i % 4 === 3 ? 255 : grey[i >> 2]));
  return jpeg.encode({ width: SIDE, height: SIDE, data: colour }, 92).data;
}
