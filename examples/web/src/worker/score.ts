import { type Glow, moduleFromArtifacts, moduleToArtifacts } from 'tfjs-flows';
import type { AccountLine, Params, Score } from '../protocol';
import { whereReadable } from './backend';
import { model, toTensor } from './model';

/** Bits per dimension of a picture and its per-layer account, with one fixed draw of dequantization noise. */
export async function score({ picture }: Params<'score'>): Promise<Score> {
  const artifacts = await moduleToArtifacts(model().glow);
  return whereReadable(async () => {
    const glow = moduleFromArtifacts<Glow>(artifacts);
    const image = toTensor(picture);
    try {
      const { rows, base, total } = glow.account(image, { seed: 1 });
      const lines: AccountLine[] = rows.map(({ name, bitsPerDim, roundTripError }) => ({
        name: name.replace(/^bijector\/(multiscale\/)?/, ''),
        bitsPerDim,
        roundTripError,
      }));
      lines.push({ name: 'base', bitsPerDim: base.bitsPerDim, roundTripError: 0 });
      return { bitsPerDim: total.bitsPerDim, lines };
    } finally {
      glow.dispose();
      image.dispose();
    }
  });
}
