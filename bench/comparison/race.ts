import type { Case } from './cases';
import { checkProducts } from './contenders';
import { type Answer, type Contender, Peer } from './peer';

export type Command = 'train' | 'run' | 'encode' | 'logProb' | 'sample';

/** Milliseconds. */
export interface Timing {
  median: number;
  min: number;
}

/** One contender's result. */
export interface Lap {
  name: string;
  /** What the process says of itself. */
  ready: string;
  parameters: number;
  times: Partial<Record<Command, Timing>>;
  /** How many times as long the last contender took: the median over the rounds. */
  ratios: Partial<Record<Command, number>>;
  /** Highest resident memory of the process after training, bytes. */
  peakRss: number;
  /** Tensors after the warm-up and after the last step; only ours counts them. */
  tensors?: { start: number; end: number };
  /** The same of bytes on a GPU; and the programs that it ran in a training step. */
  gpuBytes?: { start: number; end: number };
  dispatches?: number;
}

/**
 * The contenders take turns, one step each, so that whatever else the machine does falls on all of them.
 * Rounds of each command go ahead uncounted, by default almost as many: engines compile what runs often while it runs.
 */
export async function race(
  contenders: readonly Contender[],
  what: Case,
  threads: number,
  commands: readonly Command[],
  rounds: number,
  warmUps = Math.max(1, rounds - 1),
): Promise<Lap[]> {
  const peers: Peer[] = [];
  try {
    const hellos: Answer[] = [];
    for (const contender of contenders) {
      const { peer, hello } = await Peer.start(contender, what, threads);
      peers.push(peer);
      hellos.push(hello);
      checkProducts(hello.productSpeed);
    }
    const overflows = new Set<string>();
    const takeTurns = async (command: Command, count: number) => {
      const times: number[][] = peers.map(() => []);
      for (let round = 0; round < count; round++) {
        for (const [i, peer] of peers.entries()) {
          const { ms, finite } = await peer.ask(command);
          if (finite === false) overflows.add(`${contenders[i].name}: ${command}`);
          times[i].push(ms);
        }
      }
      const last = times[times.length - 1];
      return times.map((own) => ({
        timing: timingOf(own),
        ratio: timingOf(own.map((ms, round) => last[round] / ms)).median,
      }));
    };
    const memory = async () => {
      const answers: Answer[] = [];
      for (const peer of peers) answers.push(await peer.ask('memory'));
      return answers;
    };
    await takeTurns('train', warmUps);
    const before = await memory();
    const training = await takeTurns('train', rounds);
    const after = await memory();
    const laps = contenders.map(({ name }, i): Lap => {
      const { ready, parameters } = hellos[i];
      const between = (of: 'tensors' | 'gpuBytes' | 'dispatches') => {
        const [start, end] = [before[i][of], after[i][of]];
        return start === undefined || end === undefined ? undefined : { start, end };
      };
      const [tensors, gpuBytes, ran] = [between('tensors'), between('gpuBytes'), between('dispatches')];
      const dispatches = ran && (ran.end - ran.start) / rounds;
      const { timing, ratio } = training[i];
      const [times, ratios] = [{ train: timing }, { train: ratio }];
      const peakRss = after[i].rss;
      return { name, ready, parameters, times, ratios, peakRss, tensors, gpuBytes, dispatches };
    });
    for (const command of commands.filter((command) => command !== 'train')) {
      await takeTurns(command, warmUps);
      const times = await takeTurns(command, rounds);
      laps.forEach((lap, i) => {
        lap.times[command] = times[i].timing;
        lap.ratios[command] = times[i].ratio;
      });
    }
    if (overflows.size > 0) console.log(`NOTICE: not all values were finite (${[...overflows].join(', ')}).`);
    return laps;
  } finally {
    for (const peer of peers) await peer.end();
  }
}

function timingOf(times: number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle) - 1]) / 2;
  return { median, min: sorted[0] };
}
