import type { AccountLine, Params, Score } from '../protocol';
import { model, toTensor } from './model';

/** Bits per dimension of a picture and its per-layer account, with one fixed draw of dequantization noise. */
export async function score({ picture }: Params<'score'>): Promise<Score> {
  const image = toTensor(picture);
  try {
    const { rows, base, total } = await model().glow.account(image, { seed: 1 });
    const lines: AccountLine[] = rows.map(({ name, bitsPerDim, roundTripError }) => ({
      name: name.replace(/^bijector\/(multiscale\/)?/, ''),
      bitsPerDim,
      roundTripError,
    }));
    lines.push({ name: 'base', bitsPerDim: base.bitsPerDim, roundTripError: 0 });
    return { bitsPerDim: total.bitsPerDim, lines };
  } finally {
    image.dispose();
  }
}
