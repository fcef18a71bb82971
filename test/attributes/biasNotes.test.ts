import { Matrix, RandomStream } from 'tfjs-flows';
import { type BiasReport, biasReport, type Labeled } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';
import { notesOn } from '../../src/attributes/bias/notes';
import { studentTQuantile } from '../../src/statistics/special';

type Figures = Omit<BiasReport, 'notes'>;

/** Figures as a report might hold them, of every size and with everything that may be missing. */
function randomFigures(random: RandomStream): Figures {
  const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)];
  const gain = () => ({
    mean: pick([1, 0.1, 0.01, 0.001]) * random.normalNumber(),
    error: 0.05 * random.uniformNumber() ** 2,
  });
  const test = (): BiasReport['differ']['location'] =>
    random.uniformNumber() < 0.2
      ? { f: null, p: null, reason: 'all rows are equal' }
      : { f: 1, p: pick([0.002, 0.01, 0.048, 0.052, 0.3, 1]) };
  const C = 1 + random.integer(6);
  const names = Array.from({ length: C }, (_, c) => c);
  const gains = { pooled: gain(), hierarchical: gain(), oracle: gain() };
  const known = C > 1 && random.uniformNumber() < 0.6;
  if (C === 1) for (const one of Object.values(gains)) (one as { error: number | null }).error = null;
  if (known) gains.oracle.mean = Math.abs(gains.oracle.mean) + 3 * (gains.oracle.error ?? 0);
  return {
    perSubclass: Array.from({ length: C + 1 }, (_, c) => ({ subclass: c, count: 1 + random.integer(12) })),
    differ: { location: test(), spread: test(), shape: test(), intraclassCorrelation: new Float64Array(1) },
    complementarity: {
      ratio: 4 * random.uniformNumber(),
      cosine: 0,
      independent: { ratio: [0.3, 2.1], cosine: [-0.2, 0.2] },
      pShared: pick([0.002, 0.024, 0.026, 0.5, 1]),
      pComplementary: pick([0.002, 0.024, 0.026, 0.5, 1]),
    },
    transfer:
      random.uniformNumber() < 0.1
        ? null
        : {
            gains,
            gapClosed: known ? gains.hierarchical.mean / gains.oracle.mean : null,
            gapReason: known ? null : 'larger samples are not shown to be better than the few',
            perSubclass: names.map((subclass) => ({ subclass })),
          },
    directions: Array.from({ length: random.integer(4) }, (_, attribute) => {
      const consistency = random.uniformNumber() < 0.2 ? null : 1.2 * random.uniformNumber();
      const consistencyError =
        consistency === null || random.uniformNumber() < 0.2 ? null : 0.3 * random.uniformNumber();
      return { attribute, consistency, consistencyError, consistencyReason: null };
    }),
  } as unknown as Figures;
}

const reports = Array.from({ length: 400 }, (_, seed) => randomFigures(new RandomStream(seed)));
const numbers = (text: string) =>
  Array.from(text.matchAll(/[-+]?\d*\.\d+|[-+]?\d+/g), ([value]) => Number(value));
const counts: Record<string, number> = {};
const seen = (what: string) => {
  counts[what] = (counts[what] ?? 0) + 1;
};

describe('every note of a bias report says what its figures say (400 random reports)', () => {
  it('on differences', () => {
    for (const figures of reports) {
      const [note] = notesOn(figures);
      const differ = note.match(/differ in ([^.]*(?:\.\d[^.]*)*)\./)?.[1] ?? '';
      const equal = note.match(/No difference was detected in (.*?); that is no evidence/)?.[1] ?? '';
      for (const name of ['location', 'spread', 'shape'] as const) {
        const { p, reason } = figures.differ[name];
        const mentioned = (list: string) => list.includes(`${name} (`);
        expect(mentioned(differ)).toBe(p !== null && p < 0.05);
        expect(mentioned(equal)).toBe(p !== null && p >= 0.05);
        expect(note.includes(`A difference in ${name} could not be tested: ${reason}`)).toBe(p === null);
        if (p === null) continue;
        const told = `${differ} ${equal}`.match(new RegExp(`${name} \\(p (\\.?\\d+(?:\\.\\d+)?)\\)`))?.[1];
        expect(Number(told)).toBeCloseTo(p, 3);
        seen(p < 0.05 ? 'differ' : 'equal');
      }
      const fewest = Math.min(...figures.perSubclass.map(({ count }) => count).filter((count) => count > 1));
      const several = figures.perSubclass.filter(({ count }) => count > 1).length > 1;
      const caution = note.match(/With (\d+) samples of a subclass, spread and shape cannot/);
      expect(caution === null ? null : Number(caution[1])).toBe(several && fewest < 8 ? fewest : null);
    }
  });

  it('on complementarity', () => {
    for (const figures of reports) {
      const note = notesOn(figures)[1];
      const { ratio, pShared, pComplementary } = figures.complementarity;
      const kind = /share a bias/.test(note)
        ? 'shared'
        : /cancel over subclasses beyond/.test(note)
          ? 'cancel'
          : 'neither';
      expect(kind).toBe(pShared < 0.025 ? 'shared' : pComplementary < 0.025 ? 'cancel' : 'neither');
      expect(/not told from independent/.test(note)).toBe(kind === 'neither');
      const [told, low, high] = numbers(note);
      expect([told, low, high]).toEqual([Number(ratio.toFixed(2)), 0.3, 2.1]);
      seen(kind);
    }
  });

  it('on transfer: better, worse or neither, by the standard error, and percentages where there is a way to be on', () => {
    for (const figures of reports) {
      const note = notesOn(figures)[2];
      const { transfer } = figures;
      expect(/not scored/.test(note)).toBe(transfer === null);
      if (transfer === null) continue;
      const { gains, gapClosed, perSubclass } = transfer;
      const sideOf = ({ mean, error }: { mean: number; error: number | null }) => {
        const reach =
          error === null ? Number.POSITIVE_INFINITY : studentTQuantile(0.975, perSubclass.length - 1) * error;
        return mean > reach ? 'better' : mean < -reach ? 'worse' : 'unclear';
      };
      const [alone, both] = [note.match(/^Alone.*?\./), note.match(/Added to the few samples.*?\./)].map(
        String,
      );
      const told = (sentence: string, better: string, worse: string, unclear: string) =>
        ['better', 'worse', 'unclear'].filter((_, k) => sentence.includes([better, worse, unclear][k]));
      expect(told(alone, 'model a subclass better', 'model a subclass worse', 'are not told from')).toEqual([
        sideOf(gains.pooled),
      ]);
      expect(told(both, 'they help (', 'they do harm', 'not shown to help or harm')).toEqual([
        sideOf(gains.hierarchical),
      ]);
      seen(`alone ${sideOf(gains.pooled)}`);
      seen(`both ${sideOf(gains.hierarchical)}`);
      const shown = Array.from(note.matchAll(/\(([-+]\d+\.\d+), (no )?standard error ?(\d+\.\d+)?\)/g));
      [gains.pooled, gains.hierarchical].forEach(({ mean, error }, k) => {
        expect(Number(shown[k][1])).toBeCloseTo(mean, 3);
        if (error === null) expect(shown[k][2]).toBe('no ');
        else expect(Number(shown[k][3])).toBeCloseTo(error, 3);
      });
      const percent = note.match(/That is (\d+) % of the way/)?.[1];
      const helps = sideOf(gains.hierarchical) === 'better';
      const onTheWay = gapClosed !== null && helps && gapClosed <= 1;
      expect(percent === undefined).toBe(!onTheWay);
      if (onTheWay) expect(Number(percent)).toBe(Math.round(100 * gapClosed));
      expect(/That is more than/.test(note)).toBe(gapClosed !== null && helps && gapClosed > 1);
      expect(/cannot be said/.test(note)).toBe(gapClosed === null);
      seen(onTheWay ? 'percent' : gapClosed === null ? 'no way' : 'beyond');
      expect(numbers(note).some((value) => value > 100)).toBe(false);
    }
  });

  it('on directions', () => {
    for (const figures of reports) {
      const notes = notesOn(figures);
      expect(notes).toHaveLength(figures.directions.length === 0 ? 3 : 4);
      for (const { attribute, consistency, consistencyError } of figures.directions) {
        const list = (kind: string) => notes[3].match(new RegExp(`${kind}: (.*?)\\.(?: [A-Z]|$)`))?.[1] ?? '';
        const within = (kind: string) => new RegExp(`(^|, )${attribute}($|,| \\()`).test(list(kind));
        const shared =
          consistency !== null && consistencyError !== null && consistency - consistencyError >= 0.5;
        expect(within('Directions that subclasses share')).toBe(shared);
        expect(within('Not shown to be shared')).toBe(consistency !== null && !shared);
        expect(within('Attributes without a direction')).toBe(consistency === null);
        seen(shared ? 'shared direction' : 'other direction');
      }
    }
  });

  it('and the reports held every case', () => {
    const wanted = [
      'differ',
      'equal',
      'shared',
      'cancel',
      'neither',
      'percent',
      'no way',
      'beyond',
      'shared direction',
      'other direction',
    ];
    for (const side of ['better', 'worse', 'unclear']) wanted.push(`alone ${side}`, `both ${side}`);
    for (const what of wanted) expect(counts[what], what).toBeGreaterThan(5);
  });
});

describe('real reports', () => {
  it('give no percentage from an oracle that is hardly larger than the few', () => {
    const { few, reference } = samples(6, 5, 30);
    const { transfer, notes } = biasReport(few, reference, { replicates: 19 });
    expect(transfer!.perSubclass[0]).toMatchObject({ count: 5, oracleCount: 15 });
    expect(transfer!.gapClosed).toBeNull();
    expect(transfer!.gapReason).toContain('15 samples, less than 4 times its 5 few');
    expect(notes[2]).not.toContain('%');
    const larger = samples(6, 5, 42);
    const known = biasReport(larger.few, larger.reference, { replicates: 19 });
    expect(known.transfer!.gapClosed).toBeGreaterThan(0.5);
    expect(known.transfer!.gains.hierarchical.error).toBeGreaterThan(0);
  });

  it('print themselves in a few lines', () => {
    const { few, reference } = samples(4, 5, 40);
    const report = biasReport(few, reference, { replicates: 19 });
    const lines = String(report).split('\n');
    expect(lines[0]).toBe('bias report on 5 samples each of 4 subclasses');
    expect(lines.slice(2)).toEqual(report.notes);
  });
});

function samples(subclasses: number, n: number, size: number): { few: Labeled; reference: Labeled } {
  const random = new RandomStream(3);
  const rows = (count: number, means: Float64Array[]) => ({
    z: Matrix.fromRows(
      means.flatMap((mean) =>
        Array.from({ length: count }, () => mean.map((m, j) => m + (1 + j) * random.normalNumber())),
      ),
    ),
    subclass: means.flatMap((_, c) => new Array<number>(count).fill(c)),
  });
  const means = Array.from({ length: subclasses }, () => random.normalArray(6));
  return { few: rows(n, means), reference: rows(size, means) };
}
