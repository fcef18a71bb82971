import { ConfigError, complaint, FormatError } from '../../core/errors';
import { parseJsonObject } from '../../core/json';
import type { GuessedField, LayerSettings, VectorLayer, VectorSettings } from './config';
import type { InferredFlow, InferredLayer } from './library';
import { resolve } from './resolve';

/*
 * Files of this library in the names of another one keep in their metadata, under `config`, what these names and shapes leave open: what a user
 * would have to say in the option `config`, in the same form.
 */

/** What the names and shapes of a file that is written leave open of its layers. */
export function openSettings(
  inferred: readonly InferredLayer[],
  written: readonly Omit<VectorLayer, 'at'>[],
): VectorSettings {
  const fields = new Set(inferred.flatMap(({ others }) => Object.keys(others) as GuessedField[]));
  const all: Record<string, unknown> = {};
  const single: Record<number, Record<string, unknown>> = {};
  for (const field of fields) {
    const having = inferred.flatMap(({ layer }, i) => (field in layer ? [i] : []));
    const said = (i: number) => written[i][field];
    const [first] = having;
    if (having.every((i) => said(i) === said(first))) all[field] = said(first);
    else {
      for (const i of having) {
        if (field in inferred[i].others) single[i] = { ...single[i], [field]: said(i) };
      }
    }
  }
  return Object.keys(single).length > 0 ? { ...all, layers: single } : all;
}

/** The `config` of a file's metadata. */
export function parseStated(text: string): VectorSettings {
  return parseJsonObject('importCheckpoint', "the metadata's config", text);
}

/**
 * Of what a file states, what its names and shapes leave open, by layers; the rest they say themselves.
 *
 * @throws FormatError for what no `config` may say of such layers
 */
export function statedOf(inferred: InferredFlow, stated: VectorSettings): LayerSettings[] {
  try {
    resolve(inferred, stated);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const expected = "a config in the file's metadata that fits its layers";
    throw new FormatError(complaint('importCheckpoint', expected, error.message), { cause: error });
  }
  const single = (stated.layers ?? {}) as Readonly<Record<number, LayerSettings | null>>;
  return inferred.layers.map(({ others }, i) =>
    Object.fromEntries(
      Object.entries({ ...stated, ...single[i] }).filter(([name]) => Object.hasOwn(others, name)),
    ),
  );
}
