import { decodeLatents, Matrix, manipulate, transferDelta } from 'tfjs-flows';
import type { Params, Pictures, StrengthRange } from '../protocol';
import { model, toPictures } from './model';
import { describeRange, latentsOf } from './ranges';

/** Latents [1, d] and the direction that each is moved along. */
interface Prepared {
  source: { z: Matrix; direction: ArrayLike<number> };
  target: { z: Matrix; direction: ArrayLike<number> };
}

let prepared: Prepared | undefined;

/** Takes a direction from the subclasses it was learned on to a subclass with few samples. */
export async function prepareTransfer(params: Params<'prepareTransfer'>): Promise<StrengthRange> {
  const { statistics, prior } = model();
  const { mixing, ...learned } = statistics.attributes[params.attribute];
  const [source, target] = [
    await latentsOf(model(), [params.source]),
    await latentsOf(model(), [params.target]),
  ];
  const posterior = prior.posterior(await latentsOf(model(), params.few));
  const { direction, range } = transferDelta(learned, posterior, {
    z: target.row(0),
    match: params.match,
    strength: 0,
    allowOutside: true,
    mixing: { nearNormal: mixing, along: learned.delta },
  });
  prepared = { source: { z: source, direction: learned.delta }, target: { z: target, direction } };
  return describeRange(range!);
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
