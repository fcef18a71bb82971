import * as tf from '@tensorflow/tfjs-core';
import { type Flow, imageGrid, RandomStream, type Raster, realNvp } from 'tfjs-flows';

/** The pictures show the square from -LIMIT to LIMIT. */
const LIMIT = 3;
const SIDE = 160;
/** Numbers of steps after which the density is looked at. */
const LOOKS = [20, 100, 400, 2000];
const POINTS = 4000;
/** Colours of densities from 0 to the largest, after the map "viridis". */
const COLOURS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];

const shapes: Record<string, (random: RandomStream, i: number) => [number, number]> = {
  moons(random, i) {
    const angle = Math.PI * random.uniformNumber();
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    return i % 2 === 0 ? [1.5 * x - 0.75, 1.5 * y - 0.35] : [0.75 - 1.5 * x, 0.35 - 1.5 * y];
  },
  spiral(random) {
    const turn = Math.sqrt(random.uniformNumber());
    const angle = 2.5 * Math.PI * turn;
    return [2.4 * turn * Math.cos(angle), 2.4 * turn * Math.sin(angle)];
  },
  board(random) {
    const [x, y] = [random.integer(4), random.integer(2)];
    return [x - 2 + random.uniformNumber(), 2 * y - 2 + (x % 2) + random.uniformNumber()];
  },
};

/** Per shape one row: the points, and the density of a Real NVP as it learns them. */
export async function densities(): Promise<Raster> {
  const cells: Uint8Array[] = [];
  for (const draw of Object.values(shapes)) {
    const points = drawPoints(draw);
    const flow = realNvp({ dimensions: 2, layers: 10, seed: 1 });
    cells.push(scatter(points));
    let done = 0;
    for (const look of LOOKS) {
      const steps = look - done;
      await flow.fit(
        { x: points, shape: [2] },
        {
          steps,
          batchSize: 256,
          learningRate: 2e-3,
          clipNorm: 10,
          average: 0.98,
          seed: look,
          progress: 'none',
        },
      );
      done = look;
      cells.push(heatMap(flow));
    }
    flow.dispose();
  }
  const data = new Uint8Array(cells.length * SIDE * SIDE * 3);
  cells.forEach((cell, i) => {
    data.set(cell, i * cell.length);
  });
  return imageGrid({ shape: [cells.length, SIDE, SIDE, 3], data }, { columns: LOOKS.length + 1, padding: 6 });
}

function drawPoints(draw: (random: RandomStream, i: number) => [number, number]): Float32Array {
  const random = new RandomStream(1);
  const noise = () => 0.06 * random.normalNumber();
  return Float32Array.from(
    Array.from({ length: POINTS }, (_, i) => draw(random, i)).flatMap(([x, y]) => [x + noise(), y + noise()]),
  );
}

/** exp(log density) over the square, from the top left, row by row. */
function heatMap(flow: Flow): Uint8Array {
  const place = (i: number) => LIMIT * ((2 * i + 1) / SIDE - 1);
  const centres = Float32Array.from(
    Array.from({ length: SIDE * SIDE }, (_, i) => [place(i % SIDE), -place(Math.floor(i / SIDE))]).flat(),
  );
  const density = tf.tidy(() => tf.exp(flow.logProb(tf.tensor2d(centres, [SIDE * SIDE, 2]))).dataSync());
  // The largest few values are peaks of single cells: they would leave the rest dark.
  const top = Float32Array.from(density).sort()[Math.floor(0.995 * density.length)];
  return Uint8Array.from(Array.from(density, (value) => colour(Math.min(1, value / top))).flat());
}

function scatter(points: Float32Array): Uint8Array {
  const cell = new Uint8Array(SIDE * SIDE * 3);
  for (let i = 0; i < SIDE * SIDE; i++) cell.set(colour(0), 3 * i);
  const pixel = (value: number) => Math.floor(((value / LIMIT + 1) / 2) * SIDE);
  for (let i = 0; i < points.length; i += 2) {
    const [column, row] = [pixel(points[i]), pixel(-points[i + 1])];
    if (Math.min(column, row) >= 0 && Math.max(column, row) < SIDE) {
      cell.set(colour(0.9), 3 * (row * SIDE + column));
    }
  }
  return cell;
}

/** Colour of a value in [0, 1]. */
function colour(value: number): number[] {
  const place = value * (COLOURS.length - 1);
  const below = Math.min(COLOURS.length - 2, Math.floor(place));
  return COLOURS[below].map((from, i) => Math.round(from + (place - below) * (COLOURS[below + 1][i] - from)));
}
