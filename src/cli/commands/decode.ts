import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError } from '../../core/errors';
import { type NdArray, readNpy, readNpz, writeNpy } from '../../data';
import { writeFileAtomically } from '../../node/atomicFile';
import type { Answer, Arguments, Command } from '../command';
import { importOptions, loadModel } from '../models';
import { writeGrid } from '../pictures';

export const decode: Command = {
  name: 'decode',
  summary: 'images of latents',
  positionals: [
    { name: 'model', description: 'file, saved flow or training run' },
    { name: 'latents', description: '.npz with z, as encode writes it, or .npy [n, d]' },
  ],
  options: {
    ...importOptions,
    class: { value: 'N', description: 'class, for a class-conditional Glow' },
    columns: { value: 'N', description: 'images per row of a PNG' },
    output: {
      value: 'FILE',
      description: '.png, or .npy of levels [n, h, w, c], to write (default decoded.png)',
    },
  },
  computes: true,
  run,
};

async function run(args: Arguments): Promise<Answer> {
  const output = args.output('decoded.png', ['.png', '.npy']);
  const glow = await loadModel(args.positional('model'), args);
  const [size] = glow.latentShape;
  const { shape, data } = await readLatents(args.positional('latents'));
  if (shape.length !== 2 || shape[1] !== size) {
    throw new DataError(complaint('decode', `latents [n, ${size}]`, shape));
  }
  const images = tf.tidy(() => {
    const z = tf.tensor2d(Float32Array.from(data), [shape[0], size]);
    const parts = tf.split(z, batchSizes(shape[0]), 0);
    return tf.concat(
      parts.map((part) => glow.decode(part, { context: args.integer('class') })),
      0,
    );
  });
  if (output.toLowerCase().endsWith('.npy')) {
    await writeFileAtomically(
      output,
      writeNpy({ shape: images.shape, data: Uint8Array.from(await images.data()) }),
    );
    images.dispose();
  } else await writeGrid(output, images, { nBits: glow.nBits, columns: args.integer('columns', 1) });
  glow.dispose();
  return { text: `${shape[0]} images in ${output}`, data: { count: shape[0], output } };
}

async function readLatents(path: string): Promise<NdArray> {
  const bytes = await readFile(path).catch((error) => {
    throw Object.assign(error, { path }); // the error of a folder does not name it
  });
  if (path.toLowerCase().endsWith('.npy')) return readNpy(bytes);
  const arrays = readNpz(bytes);
  if (arrays.z === undefined)
    throw new DataError(complaint('decode', `z in '${path}'`, Object.keys(arrays).join(', ')));
  return arrays.z;
}

/** 32 at a time. */
function batchSizes(count: number): number[] {
  return Array.from({ length: Math.ceil(count / 32) }, (_, i) => Math.min(32, count - 32 * i));
}
