import { RandomStream } from 'tfjs-flows';
import { mixedNormality, type Verdict } from 'tfjs-flows/attributes';
import { atLeast, type BarFigure, below } from './bar';

export const name =
  'mixedNormality: how often a mixture is called near normal, by family, samples and subclasses';

/** A draw of mean 0 and deviation 1. */
type Draw = (random: RandomStream) => number;

/** Families with a skewness of 0.6 or more, or as far from normal in another way; and the normal one. */
export const FAMILIES = {
  normal: (random) => random.normalNumber(),
  'skew-normal, skewness 0.6': (random) => {
    const slant = 0.9577;
    const value = slant * Math.abs(random.normalNumber()) + Math.sqrt(1 - slant ** 2) * random.normalNumber();
    const mean = slant * Math.sqrt(2 / Math.PI);
    return (value - mean) / Math.sqrt(1 - mean ** 2);
  },
  'gamma, skewness 1': (random) => gamma(random, 4),
  exponential: (random) => gamma(random, 1),
  uniform: (random) => Math.sqrt(12) * (random.uniformNumber() - 0.5),
  'two humps': (random) => ((random.uniformNumber() < 0.5 ? 2 : -2) + random.normalNumber()) / Math.sqrt(5),
} satisfies Record<string, Draw>;

export type Family = keyof typeof FAMILIES;

/** Subclasses of some samples each; `between` is the share of the variance that lies between them. */
export interface Design {
  subclasses: number;
  size: number;
  between: number;
  /** Whether the means of the subclasses alone are of the family, and samples around them normal. Default: both are. */
  onlyMeans?: boolean;
}

/** Independent samples, dealt to subclasses. */
const ALIKE: Design[] = [
  { subclasses: 5, size: 2, between: 0 },
  { subclasses: 10, size: 3, between: 0 },
  { subclasses: 10, size: 8, between: 0 },
  { subclasses: 20, size: 10, between: 0 },
  { subclasses: 20, size: 50, between: 0 },
  { subclasses: 20, size: 75, between: 0 },
  { subclasses: 20, size: 100, between: 0 },
  { subclasses: 20, size: 250, between: 0 },
];

/** Subclasses that differ: half of the variance lies between them. */
const APART: Design[] = [
  { subclasses: 5, size: 3, between: 0.5 },
  { subclasses: 10, size: 3, between: 0.5 },
  { subclasses: 20, size: 3, between: 0.5 },
  { subclasses: 5, size: 200, between: 0.5 },
  { subclasses: 10, size: 100, between: 0.5 },
  { subclasses: 20, size: 50, between: 0.5 },
];

/** What it takes for support where subclasses differ. */
const ENOUGH: Design[] = [
  { subclasses: 400, size: 10, between: 0.5 },
  { subclasses: 30, size: 200, between: 0.2 },
  { subclasses: 9, size: 500, between: 0.1 },
];

/** Shares of the three verdicts over fresh populations. */
export function verdicts(family: Family, design: Design, repeats: number): Record<Verdict, number> {
  const { subclasses, size, between, onlyMeans = false } = design;
  const random = new RandomStream(`${family} ${JSON.stringify(design)}`);
  const draw = FAMILIES[family];
  const shares = { supported: 0, undecided: 0, 'not supported': 0 };
  const subclass = Int32Array.from({ length: subclasses * size }, (_, i) => Math.floor(i / size));
  for (let r = 0; r < repeats; r++) {
    const means = Array.from({ length: subclasses }, () => draw(random));
    const z = Float64Array.from(subclass, (c) => {
      const noise = onlyMeans ? random.normalNumber() : draw(random);
      return Math.sqrt(between) * means[c] + Math.sqrt(1 - between) * noise;
    });
    // The curve over numbers of subclasses has no part in this verdict.
    const options = {
      counts: [subclasses],
      n: Math.max(8, subclasses),
      mixtures: 1,
      replicates: 19,
      seed: r,
    };
    shares[mixedNormality({ z, subclass }, options).nearNormal] += 1 / repeats;
  }
  return shares;
}

export async function run(repeats = 300): Promise<BarFigure[]> {
  const told = ({ subclasses, size, between, onlyMeans }: Design) =>
    `${subclasses} x ${size}${between === 0 ? '' : `, half between${onlyMeans ? ', means alone' : ''}`}`;
  const figures: BarFigure[] = [];
  for (const design of [...ALIKE, ...APART, ...APART.map((one) => ({ ...one, onlyMeans: true }))]) {
    for (const family of Object.keys(FAMILIES) as Family[]) {
      // Sums of two of these are nearer to normal than the bound, or hardly farther: no verdict on them is wrong.
      if (design.between > 0 && !/gamma|exponential|normal$/.test(family)) continue;
      if (design.onlyMeans && family !== 'exponential') continue;
      const shares = verdicts(family, design, repeats);
      const label = `${family}, ${told(design)}`;
      if (family === 'normal') {
        figures.push(below(`${label}: not supported`, shares['not supported'], 0.08));
        const enough = design.between === 0 && design.subclasses * design.size >= 2000;
        figures.push(atLeast(`${label}: supported`, shares.supported, enough ? 0.9 : 0));
      } else {
        // 5 % and two standard errors.
        figures.push(below(`${label}: supported`, shares.supported, 0.05 + 2 * Math.sqrt(0.0475 / repeats)));
        figures.push(atLeast(`${label}: not supported`, shares['not supported'], 0));
      }
    }
  }
  for (const design of ENOUGH) {
    const { subclasses, size, between } = design;
    const share = verdicts('normal', design, repeats / 3).supported;
    figures.push(atLeast(`normal, ${subclasses} x ${size}, ${between} between: supported`, share, 0.85));
  }
  return figures;
}

/** Marsaglia and Tsang (2000). */
function gamma(random: RandomStream, shape: number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normalNumber();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.uniformNumber()) < (x * x) / 2 + d - d * v + d * Math.log(v)) {
      return (d * v - shape) / Math.sqrt(shape);
    }
  }
}
