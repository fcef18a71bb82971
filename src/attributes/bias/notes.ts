import { pFigure } from '../../core/printable';
import { studentTQuantile } from '../../statistics/special';
import type { AttributeConsistency, BiasReport } from './report';
import type { TransferGain } from './transferability';

const SIZE = 0.05;
/** Fewest samples of a subclass whose spread and shape tell subclasses that differ from heavy tails that all have. */
const ENOUGH_FOR_SPREAD = 8;
/** Least consistency, less its error, at which a direction counts as shared; as in `learnableRange`. */
const SHARED = 0.5;

/** The findings of a bias report in sentences, no stronger than the figures. */
export function notesOn(report: Omit<BiasReport, 'notes'>): string[] {
  return [
    differenceNote(report),
    complementarityNote(report),
    transferNote(report),
    ...(report.directions.length === 0 ? [] : [directionNote(report)]),
  ];
}

function differenceNote({ differ, perSubclass }: Omit<BiasReport, 'notes'>): string {
  const tests = (['location', 'spread', 'shape'] as const).map((name) => ({ name, ...differ[name] }));
  const named = (wanted: typeof tests) => wanted.map(({ name, p }) => `${name} (${pFigure(p)})`).join(', ');
  const found = tests.filter(({ p }) => p !== null && p < SIZE);
  const rest = tests.filter(({ p }) => p !== null && p >= SIZE);
  const parts: string[] = [];
  if (found.length > 0) parts.push(`The few samples of different subclasses differ in ${named(found)}.`);
  if (rest.length > 0) {
    parts.push(`No difference was detected in ${named(rest)}; that is no evidence that there is none.`);
  }
  for (const { name, p, reason } of tests) {
    if (p === null) parts.push(`A difference in ${name} could not be tested: ${reason}.`);
  }
  const counts = perSubclass.map(({ count }) => count).filter((count) => count > 1);
  const fewest = counts.reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY);
  if (counts.length > 1 && fewest < ENOUGH_FOR_SPREAD) {
    parts.push(
      `With ${fewest} samples of a subclass, spread and shape cannot tell subclasses that differ from heavy or skewed tails that all have; from ${ENOUGH_FOR_SPREAD} on they can.`,
    );
  }
  return parts.join(' ');
}

function complementarityNote({ complementarity }: Omit<BiasReport, 'notes'>): string {
  const { ratio, independent, pShared, pComplementary } = complementarity;
  const [low, high] = independent.ratio.map((end) => end.toFixed(2));
  const figures = `ratio ${ratio.toFixed(2)}, independent samples give ${low} to ${high}`;
  if (pShared < SIZE / 2) {
    return `The deviations share a bias (${figures}; ${pFigure(pShared)}): pooling subclasses does not remove it. Look for a common cause, one camera for instance.`;
  }
  if (pComplementary < SIZE / 2) {
    return `The deviations cancel over subclasses beyond what independence does (${figures}; ${pFigure(pComplementary)}).`;
  }
  return `The deviations are not told from independent ones (${figures}), of which pooling K subclasses leaves 1/K and no less.`;
}

function transferNote({ transfer }: Omit<BiasReport, 'notes'>): string {
  if (transfer === null) {
    return 'Transfer was not scored: it needs 2 few samples of a subclass, and 4 reference samples of it and of two others.';
  }
  const { gains, gapClosed, gapReason, perSubclass } = transfer;
  const C = perSubclass.length;
  const alone = sideOf(gains.pooled, C);
  const both = sideOf(gains.hierarchical, C);
  const verdicts = {
    alone: {
      above: 'model a subclass better than its own few samples do',
      below: 'model a subclass worse than its own few samples do',
      unclear: 'are not told from its own few samples as a model of a subclass',
    },
    both: { above: 'help', below: 'do harm', unclear: 'are not shown to help or harm' },
  };
  const parts = [
    `Alone, the deviations of other subclasses ${verdicts.alone[alone]} (${figureOf(gains.pooled)}).`,
    `Added to the few samples they ${verdicts.both[both]} (${figureOf(gains.hierarchical)}).`,
    `In nats per dimension, held out, over ${C} ${C === 1 ? 'subclass' : 'subclasses'}.`,
  ];
  if (gapClosed === null) {
    parts.push(`How far the way to a large sample is cannot be said: ${gapReason}.`);
  } else if (both === 'above') {
    const larger = `a larger sample of its own (${figureOf(gains.oracle)})`;
    parts.push(
      gapClosed > 1
        ? `That is more than ${larger} gives.`
        : `That is ${Math.round(100 * gapClosed)} % of the way to ${larger}.`,
    );
  }
  return parts.join(' ');
}

/** On which side of 0 a gain lies, by Student's t over subclasses at 0.05; unclear for a single one. */
function sideOf({ mean, error }: TransferGain, subclasses: number): 'above' | 'below' | 'unclear' {
  if (error === null) return 'unclear';
  const reach = studentTQuantile(1 - SIZE / 2, subclasses - 1) * error;
  if (mean > reach) return 'above';
  return mean < -reach ? 'below' : 'unclear';
}

function figureOf({ mean, error }: TransferGain): string {
  const gain = `${mean < 0 ? '' : '+'}${mean.toFixed(3)}`;
  return error === null ? `${gain}, no standard error` : `${gain}, standard error ${error.toFixed(3)}`;
}

function directionNote({ directions }: Omit<BiasReport, 'notes'>): string {
  const figuresOf = ({ attribute, consistency, consistencyError }: AttributeConsistency) =>
    consistency === null
      ? String(attribute)
      : `${attribute} (consistency ${consistency.toFixed(2)}, standard error ${consistencyError?.toFixed(2) ?? 'unknown'})`;
  const list = (kind: string, wanted: (direction: AttributeConsistency) => boolean) => {
    const found = directions.filter(wanted);
    return found.length === 0 ? [] : [`${kind}: ${found.map(figuresOf).join(', ')}.`];
  };
  const shared = ({ consistency, consistencyError }: AttributeConsistency) =>
    consistency !== null && consistencyError !== null && consistency - consistencyError >= SHARED;
  return [
    ...list('Directions that subclasses share', shared),
    ...list('Not shown to be shared', (one) => one.consistency !== null && !shared(one)),
    ...list('Attributes without a direction', ({ consistency }) => consistency === null),
  ].join(' ');
}
