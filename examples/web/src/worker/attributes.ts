import { decodeLatents, learnableRange, type Matrix, manipulate } from 'tfjs-flows';
import type { Params, Pictures, StrengthRange } from '../protocol';
import { model, toPictures } from './model';
import { describeRange, latentsOf } from './ranges';

/** Latent of the picture that the sliders move, [1, d]. */
let chosen: Matrix | undefined;

/** Takes a picture; for every attribute, how far it may be moved. */
export async function choosePicture({ picture, few }: Params<'choosePicture'>): Promise<StrengthRange[]> {
  const { statistics, prior } = model();
  chosen = await latentsOf(model(), [picture]);
  const posterior = prior.posterior(await latentsOf(model(), few));
  const z = chosen.row(0);
  return statistics.attributes.map(({ mixing, ...direction }) =>
    describeRange(
      learnableRange(posterior, z, direction, { mixing: { nearNormal: mixing, along: direction.delta } }),
    ),
  );
}

/** The chosen picture, moved along all attributes at once. */
export async function move({ strengths }: Params<'move'>): Promise<Pictures> {
  const { glow, statistics } = model();
  if (chosen === undefined) throw new Error('Choose a picture first.');
  const directions = statistics.attributes.map(({ delta }) => delta);
  const { z } = manipulate(chosen, directions, [strengths]);
  return toPictures(await decodeLatents(glow, z), glow.nBits);
}
