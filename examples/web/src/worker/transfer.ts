import { decodeLatents, Matrix, manipulate, meetSubclass } from 'tfjs-flows';
import type { Params, Pictures, StrengthRange } from '../protocol';
import { model, toPictures } from './model';
import { describeRange, firstOf, knownAttribute, latentsOf } from './ranges';

/** Latents [1, d] and the direction that each is moved along. */
interface Prepared {
  source: { z: Matrix; direction: ArrayLike<number> };
  target: { z: Matrix; direction: ArrayLike<number> };
}

let prepared: Prepared | undefined;

/** Takes a direction from the subclasses it was learned on to a subclass with few samples. */
export async function prepareTransfer(params: Params<'prepareTransfer'>): Promise<StrengthRange> {
  const known = knownAttribute(model(), params.attribute);
  const { delta } = model().statistics.attributes[params.attribute];
  const source = await latentsOf(model(), [params.source]);
  const few = await latentsOf(model(), params.few);
  const target = firstOf(few);
  const { ranges, coloured } = await meetSubclass(known, few, { z: target, match: params.match });
  prepared = { source: { z: source, direction: delta }, target: { z: target, direction: coloured } };
  return describeRange(ranges[0]);
}

/** Source and target, each moved by the strength. */
export async function moveTransferred({ strength }: Params<'moveTransferred'>): Promise<Pictures> {
  const { glow } = model();
  if (prepared === undefined) throw new Error('Choose a source and a target first.');
  const moved = [prepared.source, prepared.target].map(
    ({ z, direction }) => manipulate(z, direction, [strength]).z,
  );
  const both = Matrix.fromRows(moved.map((z) => z.row(0)));
  return toPictures(await decodeLatents(glow, both), glow.nBits);
}
