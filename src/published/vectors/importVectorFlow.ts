import { ConfigError, complaint } from '../../core/errors';
import { building } from '../../core/module';
import { sizeOf } from '../../core/shapes';
import { VectorFlow, type VectorFlowOptions } from '../../flows';
import { readColumns } from '../../layers/supports/columns';
import { applyRules } from '../rule';
import { setWeights } from '../setWeights';
import { assemble, type Places } from './assemble';
import type { Guess, VectorConfig, VectorSettings } from './config';
import { withKeptWeights } from './exactWeights';
import type { VectorFile } from './libraries';
import { type Reference, verify } from './reference';
import { resolve } from './resolve';
import { statedOf } from './stated';

/** What a file of a flow over vectors tells. */
export interface VectorInfo {
  config: VectorConfig;
  guesses: Guess[];
  /** Tensors of an embedding network of the user's own. */
  leftOut: string[];
}

/**
 * What names and shapes tell, with what the user says.
 *
 * @throws FormatError for layers that are not read; ConfigError for settings that no layer has
 */
export function describeVectorFile(file: VectorFile, settings: VectorSettings = {}): VectorInfo {
  const { library, code, flow, embedding } = file;
  const inferred = code.infer(flow, { gaps: settings.gaps, sbi: library === 'sbi' });
  const stated = file.stated && statedOf(inferred, file.stated);
  const { features, context, layers, base, guesses } = resolve(inferred, settings, stated);
  const standardizesContext = standardizationOf(file, context);
  const leftOut = standardizesContext ? [] : embedding.names.map((name) => embedding.prefix + name);
  const config: VectorConfig = { library, features, context, layers: layers.map(({ layer }) => layer), base };
  return { config: standardizesContext ? { ...config, standardizesContext } : config, guesses, leftOut };
}

/** The standardization of the context, where it goes through nothing else. */
function standardizationOf({ embedding }: VectorFile, context: number): VectorConfig['standardizesContext'] {
  if (embedding.names.length !== 2 || !embedding.has('0._mean') || !embedding.has('0._std')) return undefined;
  if (context === 0) return undefined;
  const size = sizeOf(embedding.get('0._mean').shape);
  if (size === context) return 'each';
  return size === 1 ? 'shared' : undefined;
}

/** Options that say what a file of a flow over vectors does not. */
export interface VectorImportOptions {
  /** What the file does not say, for all layers (`{ activation: 'tanh', bound: 5 }`) or for some. Default: the library's defaults. */
  config?: VectorSettings;
  /** Rows and their log-densities, from Python: whether the flow is the same is then known. Default: none. */
  reference?: Reference;
  /** Names of the columns. Default: none. */
  columns?: readonly string[];
}

/** The flow of a file. */
export async function importVectorFlow(
  file: VectorFile,
  options: VectorImportOptions & { name?: string; seed?: number },
): Promise<VectorFlow> {
  const { config: settings = {}, reference, columns, name, seed } = options;
  const info = describeVectorFile(file, settings);
  checkEmbedding(info, settings);
  const named = columns && {
    columns: readColumns('importCheckpoint', { dimensions: info.config.features, columns }),
  };
  const flow = build(file, info, { ...named, name, seed });
  if (reference === undefined) return flow;
  try {
    const { gaps, base, embedding } = settings;
    const { guesses: open } = describeVectorFile(file, { gaps, base, embedding });
    const rebuild = (other: VectorSettings) => build(file, describeVectorFile(file, other));
    await verify(reference, { flow, ...info, open, settings, rebuild });
  } catch (error) {
    flow.dispose();
    throw error;
  }
  return flow;
}

function build(
  file: VectorFile,
  { config, leftOut }: VectorInfo,
  options: Omit<VectorFlowOptions, 'bijector'> = {},
): VectorFlow {
  const { code, tensors, flow, embedding, kept } = file;
  const places: Places = {
    flow: flow.prefix.slice(0, -1),
    embedding: embedding.prefix.slice(0, -1),
    mask: (name) => flow.root.mask(name),
  };
  const { rules, build: partsOf } = assemble(code, config, places);
  const left = new Set(leftOut);
  const ignores = (name: string) => left.has(name) || code.ignores(name.slice(flow.prefix.length));
  const weights = withKeptWeights(applyRules('importCheckpoint', rules, tensors, ignores), kept);
  return setWeights(
    building(() => new VectorFlow({ ...partsOf(), ...options })),
    weights,
  );
}

/** Throws a ConfigError where a network that is not read stands between the context and the flow. */
export function checkEmbedding({ leftOut }: VectorInfo, { embedding }: VectorSettings): void {
  if (leftOut.length === 0 || embedding === 'outside') return;
  const shown = `${leftOut.slice(0, 4).join(', ')}${leftOut.length > 4 ? `, ... (${leftOut.length})` : ''}`;
  const hint =
    "Such networks are not read. Compute what it returns yourself, give that to the flow as its context, and say so: config: { embedding: 'outside' }.";
  throw new ConfigError(
    complaint('importCheckpoint', 'a context without an embedding network of its own', shown, hint),
  );
}
