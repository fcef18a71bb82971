import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { encodePng, readNpz } from 'tfjs-flows';

const EXPRESSIONS = ['Neutral', 'Smiling', 'Sad', 'Angry'];

/**
 * A folder as CelebA is distributed, made of the CMU faces: `img_align_celeba` with JPEG files (every fifth a PNG) and its table.
 *
 * @returns names of the image files
 */
export function writeCelebALike(root: string, count: number): string[] {
  const faces = readNpz(readFileSync(new URL('../../examples/data/cmu_faces_32x32.npz', import.meta.url)));
  const folder = join(root, 'img_align_celeba');
  mkdirSync(folder, { recursive: true });
  const total = faces.images.shape[0];
  const lines: string[] = [];
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i * total) / count);
    const grey = faces.images.data.subarray(row * 1024, (row + 1) * 1024);
    const name = `${String(i + 1).padStart(6, '0')}.${i % 5 === 4 ? 'png' : 'jpg'}`;
    const file =
      i % 5 === 4
        ? encodePng({ width: 32, height: 32, channels: 1, data: Uint8Array.from(grey) })
        : jpeg.encode(
            {
              width: 32,
              height: 32,
              data: Uint8Array.from({ length: 4096 }, (_, at) => (at % 4 === 3 ? 255 : grey[at >> 2])),
            },
            90,
          ).data;
    writeFileSync(join(folder, name), file);
    const present = [
      faces.sunglasses.data[row] === 1,
      ...EXPRESSIONS.map((_, expression) => faces.expression.data[row] === expression),
      false,
    ];
    lines.push(`${name}  ${present.map((has) => (has ? ' 1' : '-1')).join(' ')}`);
    names.push(name);
  }
  const header = ['Eyeglasses', ...EXPRESSIONS, 'Nobody'].join(' ');
  writeFileSync(join(root, 'list_attr_celeba.txt'), `${count}\n${header}\n${lines.join('\n')}\n`);
  return names;
}

/** Small hparams in the published layout. */
export const hparams = {
  Dir: { log_root: 'results/faces' },
  Glow: {
    image_shape: [16, 16, 1],
    hidden_channels: 16,
    K: 2,
    L: 2,
    actnorm_scale: 1.0,
    flow_permutation: 'invconv',
    flow_coupling: 'affine',
    LU_decomposed: false,
    learn_top: true,
    y_condition: false,
    y_classes: 6,
  },
  Criterion: { y_condition: 'multi-classes' },
  Data: { center_crop: 28, resize: 16 },
  Optim: {
    name: 'adam',
    args: { lr: 1e-3, betas: [0.9, 0.9999], eps: 1e-8 },
    Schedule: { name: 'noam_learning_rate_decay', args: { warmup_steps: 20, minimum: 1e-4 } },
  },
  Device: { glow: ['cuda:0'], data: 'cuda:0' },
  Train: {
    batch_size: 12,
    num_batches: 1000000,
    max_grad_clip: 5,
    max_grad_norm: 100,
    max_checkpoints: 2,
    checkpoints_gap: 5,
    num_plot_samples: 1,
    scalar_log_gap: 2,
    plot_gap: 10,
    inference_gap: 10,
    warm_start: '',
    weight_y: 0.5,
  },
  Infer: {},
};
