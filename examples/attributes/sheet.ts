import { encodePng } from 'tfjs-flows';
import type { LearnableRange } from 'tfjs-flows/attributes';

/** What the frame around a picture says, and its colour. */
const FRAMES = {
  /** Green: a strength between those of the subclass's own samples. */
  own: [26, 152, 80],
  /** Blue: further out, vouched for by the other subclasses. */
  transferable: [49, 110, 190],
  /** Orange: plausible under the prior, but the other subclasses do not vouch for the direction. */
  refused: [253, 174, 97],
  /** Red: beyond the prior. */
  outside: [215, 48, 39],
  /** Grey: a photograph. */
  photograph: [190, 190, 190],
} as const;

export type Frame = keyof typeof FRAMES;

/** The frame of a strength. */
export function frameOf(range: LearnableRange, strength: number): Frame {
  const status = range.status(strength);
  const plausible = range.intervals.some(([low, high]) => strength >= low && strength <= high);
  return status === 'outside' && plausible ? 'refused' : status;
}

const FRAME = 3;
const GAP = 3;

/** A sheet of grey or colour images with coloured frames, as PNG bytes. */
export function framedSheet(
  images: { data: ArrayLike<number>; shape: readonly number[] },
  frames: readonly Frame[],
  columns: number,
  nBits: number,
  scale = Math.max(1, Math.round(64 / images.shape[1])),
): Uint8Array {
  const [count, height, width, channels] = images.shape;
  const cellHeight = height * scale + 2 * FRAME + GAP;
  const cellWidth = width * scale + 2 * FRAME + GAP;
  const sheetWidth = columns * cellWidth + GAP;
  const sheetHeight = Math.ceil(count / columns) * cellHeight + GAP;
  const data = new Uint8Array(sheetWidth * sheetHeight * 3).fill(255);
  const set = (x: number, y: number, colour: readonly number[]) => {
    data.set(colour, (y * sheetWidth + x) * 3);
  };
  const factor = 255 / (2 ** nBits - 1);
  for (let image = 0; image < count; image++) {
    const left = GAP + (image % columns) * cellWidth;
    const top = GAP + Math.floor(image / columns) * cellHeight;
    for (let y = 0; y < height * scale + 2 * FRAME; y++) {
      for (let x = 0; x < width * scale + 2 * FRAME; x++) {
        const row = Math.floor((y - FRAME) / scale);
        const column = Math.floor((x - FRAME) / scale);
        const inside = row >= 0 && row < height && column >= 0 && column < width;
        const at = ((image * height + row) * width + column) * channels;
        const pixel = (channel: number) =>
          Math.round(factor * Number(images.data[at + (channels === 1 ? 0 : channel)]));
        set(left + x, top + y, inside ? [pixel(0), pixel(1), pixel(2)] : FRAMES[frames[image]]);
      }
    }
  }
  return encodePng({ width: sheetWidth, height: sheetHeight, channels: 3, data });
}
