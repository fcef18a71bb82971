import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { complaint, FormatError } from '../core/errors';
import { isJsonObject, parseJsonObject } from '../core/json';
import { Turns } from '../io/turns';
import { writeFileAtomically, writeNewFile } from './atomicFile';
import { isFileAddress, pathOf } from './paths';
import { isUnderWay, withTemporary } from './underWay';

/** The hash of the content, and what tells this save from others; files of earlier releases have the hash alone. */
const weightFile = /^weights-([0-9a-f]{16})(?:-[0-9a-f]{12})?\.bin$/;
const temporaryFile = /^(?:weights-.*|.*\.json\..*)\.tmp$/;
const damaged = 'The file is damaged or was cut short; use another copy.';

/**
 * A tf.io handler for one directory: `model.json` beside one file of weights, the layout that tf.io can also load over HTTP.
 *
 * Saving is atomic. The weights go to a new file named by their SHA-256 first; replacing `model.json`, which names them, is the one
 * moment that makes them current; only then are files of earlier weights removed. A crash at any moment leaves a model that loads.
 * Saves to one directory wait for each other; those of other processes do not, and the last to end is what stays.
 *
 * @param path directory, made where missing, or the path of a `model.json`; plain or behind `file://`
 * @throws ConfigError for anything but a path; FormatError on loading a file that is damaged or cut short
 *
 * @example
 * import { fileSystem } from 'tfjs-flows/node';
 * await saveModule(flow, fileSystem('models/garments')); // or 'file://models/garments'
 */
export function fileSystem(path: string): tf.io.IOHandler {
  const plain = pathOf('fileSystem', path);
  const directory = plain.endsWith('.json') ? dirname(plain) : plain;
  const json = plain.endsWith('.json') ? plain : join(plain, 'model.json');
  return {
    save: (artifacts) => save(directory, json, artifacts),
    load: () => load(directory, json),
  };
}

/** Saves of this process that others to the same directory wait for. */
const turns = new Turns<string>();

function save(directory: string, json: string, artifacts: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> {
  return turns.take(resolve(directory), async () => {
    await mkdir(directory, { recursive: true });
    try {
      await write(directory, json, artifacts);
    } finally {
      // What cannot be removed now goes with the next save.
      await removeLeftovers(directory).catch(() => undefined);
    }
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  });
}

async function write(directory: string, json: string, artifacts: tf.io.ModelArtifacts): Promise<void> {
  const { weightData, weightSpecs, getWeightStream, ...rest } = artifacts;
  const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  const path = join(directory, `weights-${hash(bytes)}-${randomBytes(6).toString('hex')}.bin`);
  // Until model.json names the weights, the temporary file beside them says that they are wanted.
  await withTemporary(path, async (temporary) => {
    await writeNewFile(temporary, '');
    await writeFileAtomically(path, bytes);
    const weightsManifest = [{ paths: [basename(path)], weights: weightSpecs ?? [] }];
    await writeFileAtomically(json, JSON.stringify({ ...rest, weightsManifest }));
  });
}

/**
 * Removes weights that nothing names, and temporary files of saves that never ended.
 *
 * The order of the three looks matters: weights seen by the first without a temporary file in the second belong to a save that
 * ended before, so the third sees the model.json that names them, unless a later one has taken its place.
 */
async function removeLeftovers(directory: string): Promise<void> {
  const weights = (await readdir(directory)).filter((name) => weightFile.test(name));
  const temporaries = (await readdir(directory)).filter((name) => temporaryFile.test(name));
  const underWay: string[] = [];
  for (const name of temporaries) {
    if (await isUnderWay(directory, name)) underWay.push(name);
    else await rm(join(directory, name), { force: true });
  }
  const named = await namedWeights(directory);
  for (const name of weights) {
    const wanted = named.has(name) || underWay.some((temporary) => temporary.startsWith(`${name}.`));
    if (!wanted) await rm(join(directory, name), { force: true });
  }
}

/** Files of weights that any model of a directory names. */
async function namedWeights(directory: string): Promise<Set<string>> {
  const named = new Set<string>();
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json')) continue;
    const text = await readFile(join(directory, name), 'utf8');
    for (const [weights] of text.matchAll(/weights-[0-9a-f-]+\.bin/g)) named.add(weights);
  }
  return named;
}

/** Another save may take the place of the model between the looks at its two files: then the new one is read. */
async function load(directory: string, json: string): Promise<tf.io.ModelArtifacts> {
  let text = await readFile(json, 'utf8');
  for (;;) {
    try {
      return await read(directory, json, text);
    } catch (error) {
      const now = await readFile(json, 'utf8');
      if (now === text || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      text = now;
    }
  }
}

async function read(directory: string, json: string, text: string): Promise<tf.io.ModelArtifacts> {
  const model = parseJsonObject('fileSystem.load', json, text, damaged) as unknown as tf.io.ModelJSON;
  if (!isManifest(model.weightsManifest)) {
    throw new FormatError(complaint('fileSystem.load', `a weightsManifest in ${json}`, 'none', damaged));
  }
  return tf.io.getModelArtifactsForJSON(model, async (manifest) => {
    const parts = await Promise.all(
      manifest.flatMap(({ paths }) => paths).map((name) => readWeights(directory, name)),
    );
    return [tf.io.getWeightSpecs(manifest), tf.io.CompositeArrayBuffer.join(parts)];
  });
}

/** Groups of files and what weights they hold, as tf.io writes them. */
function isManifest(value: unknown): value is tf.io.WeightsManifestConfig {
  const texts = (paths: unknown) => Array.isArray(paths) && paths.every((path) => typeof path === 'string');
  return (
    Array.isArray(value) &&
    value.every((group) => isJsonObject(group) && texts(group.paths) && Array.isArray(group.weights))
  );
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

/** Makes tf.io know `file://`, unless tfjs-node already does. */
export function registerFileScheme(): void {
  if (tf.io.getSaveHandlers('file://probe').length > 0) return;
  const router: Parameters<typeof tf.io.registerSaveRouter>[0] = (url) =>
    isFileAddress(url) ? fileSystem(url) : (null as never);
  tf.io.registerSaveRouter(router);
  tf.io.registerLoadRouter(router);
}
