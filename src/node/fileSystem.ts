import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { complaint, FormatError } from '../core/errors';
import { writeFileAtomically } from './atomicFile';

const weightFile = /^weights-([0-9a-f]{16})\.bin$/;
const damaged = 'The file is damaged or was cut short; use another copy.';

/**
 * A tf.io handler for one directory: `model.json` beside one file of weights, the layout that tf.io can also load over HTTP.
 *
 * Saving is atomic. The weights go to a new file named by their SHA-256 first; replacing `model.json`, which names them, is the one
 * moment that makes them current; only then are files of earlier weights removed. A crash at any moment leaves a model that loads.
 *
 * @param path directory, made where missing, or the path of a `model.json` to load
 * @throws FormatError on loading a file that is damaged or cut short
 *
 * @example
 * import { fileSystem } from 'tfjs-flows/node';
 * await saveModule(flow, fileSystem('models/garments')); // or 'file://models/garments'
 */
export function fileSystem(path: string): tf.io.IOHandler {
  const directory = path.endsWith('.json') ? dirname(path) : path;
  const json = path.endsWith('.json') ? path : join(path, 'model.json');
  return {
    save: (artifacts) => save(directory, json, artifacts),
    load: () => load(directory, json),
  };
}

async function save(
  directory: string,
  json: string,
  artifacts: tf.io.ModelArtifacts,
): Promise<tf.io.SaveResult> {
  await mkdir(directory, { recursive: true });
  const { weightData, weightSpecs, getWeightStream, ...rest } = artifacts;
  const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  const name = `weights-${hash(bytes)}.bin`;
  await writeFileAtomically(join(directory, name), bytes);
  const weightsManifest = [{ paths: [name], weights: weightSpecs ?? [] }];
  await writeFileAtomically(json, JSON.stringify({ ...rest, weightsManifest }));
  await removeLeftovers(directory, json, name);
  return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
}

/** Weights of earlier saves, and temporary files of saves that never ended. */
async function removeLeftovers(directory: string, json: string, current: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const temporary =
      name.endsWith('.tmp') && (name.startsWith('weights-') || name.startsWith(basename(json)));
    if ((weightFile.test(name) && name !== current) || temporary) {
      await rm(join(directory, name), { force: true });
    }
  }
}

async function load(directory: string, json: string): Promise<tf.io.ModelArtifacts> {
  const text = await readFile(json, 'utf8');
  let model: tf.io.ModelJSON;
  try {
    model = JSON.parse(text);
  } catch (error) {
    throw new FormatError(complaint('fileSystem.load', `JSON in ${json}`, (error as Error).message, damaged));
  }
  if (!Array.isArray(model?.weightsManifest)) {
    throw new FormatError(complaint('fileSystem.load', `a weightsManifest in ${json}`, 'none', damaged));
  }
  return tf.io.getModelArtifactsForJSON(model, async (manifest) => {
    const parts = await Promise.all(
      manifest.flatMap(({ paths }) => paths).map((name) => readWeights(directory, name)),
    );
    return [tf.io.getWeightSpecs(manifest), tf.io.CompositeArrayBuffer.join(parts)];
  });
}

async function readWeights(directory: string, name: string): Promise<ArrayBuffer> {
  // A manifest that comes from elsewhere must not reach outside its directory.
  const path = join(directory, basename(name));
  const bytes = await readFile(path);
  const expected = weightFile.exec(name)?.[1];
  if (expected !== undefined && hash(bytes) !== expected) {
    throw new FormatError(
      complaint(
        'fileSystem.load',
        `bytes with SHA-256 ${expected} in ${path}`,
        `${bytes.length} bytes with ${hash(bytes)}`,
        damaged,
      ),
    );
  }
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** `file://models/a` (relative, as tfjs-node writes it), `file:///srv/a` and `file:///C:/a` as paths. */
function pathOf(url: string): string {
  return url.startsWith('file:///') ? fileURLToPath(url) : url.slice('file://'.length);
}

/** Makes tf.io know `file://`, unless tfjs-node already does. */
export function registerFileScheme(): void {
  if (tf.io.getSaveHandlers('file://probe').length > 0) return;
  const router: Parameters<typeof tf.io.registerSaveRouter>[0] = (url) =>
    typeof url === 'string' && url.startsWith('file://') ? fileSystem(pathOf(url)) : (null as never);
  tf.io.registerSaveRouter(router);
  tf.io.registerLoadRouter(router);
}
