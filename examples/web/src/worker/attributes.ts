import { decodeLatents, type Matrix, manipulate, meetSubclass } from 'tfjs-flows';
import type { Params, Pictures, StrengthRange } from '../protocol';
import { model, toPictures } from './model';
import { describeRange, firstOf, knownAttribute, latentsOf } from './ranges';

/** Latent of the picture that the sliders move, [1, d]. */
let chosen: Matrix | undefined;

/** Takes a picture, the first of the few samples of its subclass; for every attribute, how far it may be moved. */
export async function choosePicture({ few }: Params<'choosePicture'>): Promise<StrengthRange[]> {
  const samples = await latentsOf(model(), few);
  const z = firstOf(samples);
  chosen = z;
  const met = model().statistics.attributes.map((_, i) =>
    meetSubclass(knownAttribute(model(), i), samples, { z }),
  );
  return (await Promise.all(met)).map(({ ranges }) => describeRange(ranges[0]));
}

/** The chosen picture, moved along all attributes at once. */
export async function move({ strengths }: Params<'move'>): Promise<Pictures> {
  const { glow, statistics } = model();
  if (chosen === undefined) throw new Error('Choose a picture first.');
  const directions = statistics.attributes.map(({ delta }) => delta);
  const { z } = manipulate(chosen, directions, [strengths]);
  return toPictures(await decodeLatents(glow, z), glow.nBits);
}
