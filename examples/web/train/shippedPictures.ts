import { writeNpz } from 'tfjs-flows';
import { type LabelledPictures, picture } from './dataset';

/** The first pictures of every subclass, with their labels, as the archive that the page reads. */
export function shippedPictures(data: LabelledPictures): Uint8Array {
  const rows = data.subclasses.flatMap((_, subclass) =>
    Array.from(data.subclass.keys())
      .filter((row) => data.subclass[row] === subclass)
      .slice(0, data.shippedPerSubclass),
  );
  const images = new Uint8Array(rows.length * data.size ** 2);
  rows.forEach((row, i) => {
    images.set(picture(data, row), i * data.size ** 2);
  });
  return writeNpz({
    images: { shape: [rows.length, data.size, data.size], data: images },
    subclass: { shape: [rows.length], data: Int32Array.from(rows, (row) => data.subclass[row]) },
    attributes: {
      shape: [rows.length, data.attributes.length],
      data: Float32Array.from(
        rows.flatMap((row) => data.attributes.map(({ value }) => value(row) ?? Number.NaN)),
      ),
    },
  });
}
