import type { ContextOption, ContextShape } from '../../core/context';
import { isNamed } from '../../core/context';
import type { Shape } from '../../core/shapes';
import type { Bijector } from '../bijector';
import { type BijectorBuilder, Chain } from '../chain';
import type { ConditionerBuilder } from '../networks/conditioner';
import { Categorical } from './categorical';
import { Circular } from './circular';
import type { ColumnHead } from './columnHead';
import type { Column } from './columns';
import { BEFORE, type Factor, Factorized } from './factorized';
import { lineParts, namesOnLine, supportLayers } from './lineParts';
import { Standardize } from './standardize';
import type { Support } from './support';

/** Options of {@link columnSupports}. */
export interface ColumnSupportsOptions {
  /** The columns of the data, as `readColumns` gives them. */
  columns: readonly Column[];
  /** What the layers are conditioned on. Default: nothing. */
  context?: ContextShape;
  /** Builds the networks that say categories and angles by what they read. */
  network: ConditionerBuilder;
}

/** How columns are modelled: what a recipe needs to put its layers between data and latents. */
export interface ColumnPlan {
  /** How many latents are those of categories and angles; they come first. */
  heads: number;
  /** How many values the recipe's layers take; 0 where all columns are categories and angles. */
  dimensions: number;
  /** What the recipe's layers read: the context, and what categories and angles say. */
  context: ContextShape | undefined;
  /**
   * The whole bijector. Categories come first, then angles, each reading those before it; then the other columns, brought to the line
   * and standardized, through the layers that the recipe builds for [dimensions] and `context`.
   */
  assemble(build: (inputShape: Shape, context: ContextOption | undefined) => Bijector): Bijector;
}

/** Plans the layers that the supports of columns need. */
export function columnSupports(options: ColumnSupportsOptions): ColumnPlan {
  const { columns, context } = options;
  const heads = headsOf(columns);
  const parts = lineParts(columns);
  const features = heads.reduce((sum, head) => sum + featuresOf(columns[head].support), 0);
  const read = withBefore(context, features);
  return {
    heads: heads.length,
    dimensions: parts.reduce((sum, { size }) => sum + size, 0),
    context: read,
    assemble: (build) => {
      const rest = parts.flatMap((part) => part.columns).sort((a, b) => a - b);
      const factors = headFactors(options, heads);
      const whole = { inputShape: [columns.length], name: 'bijector' };
      if (rest.length === 0) return new Factorized({ ...whole, factors });
      const builders: BijectorBuilder[] = [
        ...supportLayers(parts),
        (inputShape) => new Standardize({ inputShape, columns: namesOnLine(columns, parts) }),
        (inputShape) => build(inputShape, read as ContextOption | undefined),
      ];
      if (heads.length === 0) return Chain.from([rest.length], builders, 'bijector');
      const bijector = Chain.from([rest.length], builders, 'values');
      return new Factorized({ ...whole, factors: [...factors, { columns: rest, bijector }] });
    },
  };
}

/** Categories first, then angles. */
function headsOf(columns: readonly Column[]): number[] {
  const of = (kind: Support['kind']) =>
    columns.flatMap(({ support }, i) => (support.kind === kind ? [i] : []));
  return [...of('categorical'), ...of('circular')];
}

function headFactors({ columns, context, network }: ColumnSupportsOptions, heads: number[]): Factor[] {
  let before = 0;
  return heads.map((column) => {
    const read = withBefore(context, before) as ContextOption | undefined;
    const conditioned = read === undefined ? {} : { context: read, network };
    const bijector = headOf(columns[column].support, { ...conditioned, name: `column${column}` });
    before += bijector.features;
    return { columns: [column], bijector };
  });
}

function headOf(support: Support, options: { name: string }): ColumnHead {
  if (support.kind === 'categorical') return new Categorical({ ...options, categories: support.categories });
  const { low, high } = support as Support & { kind: 'circular' };
  return new Circular({ ...options, low, high });
}

function featuresOf(support: Support): number {
  return support.kind === 'categorical' ? support.categories : 2;
}

/** A context with what heads say beside it; '' is the name of one without names. */
function withBefore(context: ContextShape | undefined, features: number): ContextShape | undefined {
  if (features === 0) return context;
  const outer = context === undefined ? {} : isNamed(context) ? context : { '': context };
  return { ...outer, [BEFORE]: [features] };
}
