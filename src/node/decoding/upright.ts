import type { Raster } from '../../data';

/**
 * A picture turned and mirrored as its camera says.
 *
 * @param orientation 1 upright, 2 mirrored, 3 upside down, 4 both, 5 .. 8 the same with rows and columns exchanged
 */
export function upright(picture: Raster, orientation: number): Raster {
  if (orientation === 1) return picture;
  const { width, height, channels, data } = picture;
  const last = width * height - 1;
  // Where the first pixel comes from, and how far apart its neighbours to the right and below lie.
  const walks: Record<number, [start: number, right: number, down: number]> = {
    2: [width - 1, -1, width],
    3: [last, -1, -width],
    4: [last - width + 1, 1, -width],
    5: [0, width, 1],
    6: [last - width + 1, -width, 1],
    7: [last, -width, -1],
    8: [width - 1, width, -1],
  };
  const [start, right, down] = walks[orientation];
  const [columns, rows] = orientation < 5 ? [width, height] : [height, width];
  const turned = new Uint8Array(data.length);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    let from = (start + row * down) * channels;
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < channels; channel++) turned[to++] = data[from + channel];
      from += right * channels;
    }
  }
  return { width: columns, height: rows, channels, data: turned };
}
