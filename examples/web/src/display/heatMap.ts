/** Colours from low to high, dark to light: readable without telling hues apart. */
const STOPS = [
  [13, 27, 42],
  [24, 67, 92],
  [23, 119, 124],
  [104, 175, 130],
  [216, 215, 138],
  [253, 246, 210],
] as const;

/** Draws values on a square canvas, row by row from the top, from 0 to their maximum. */
export function drawHeatMap(canvas: HTMLCanvasElement, values: Float32Array, side: number): void {
  canvas.width = side;
  canvas.height = side;
  const image = new ImageData(side, side);
  const highest = values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, value) : most), 0);
  for (let i = 0; i < values.length; i++) {
    // The square root shows thin tails beside high peaks.
    const share = highest > 0 && Number.isFinite(values[i]) ? Math.sqrt(values[i] / highest) : 0;
    image.data.set([...colour(share), 255], 4 * i);
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

function colour(share: number): number[] {
  const place = Math.min(1, share) * (STOPS.length - 1);
  const low = Math.min(STOPS.length - 2, Math.floor(place));
  return STOPS[low].map((from, channel) => from + (place - low) * (STOPS[low + 1][channel] - from));
}
