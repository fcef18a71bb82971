import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { directionSignal, zDelta } from '../../attributes';
import { complaint, DataError, FormatError } from '../../core/errors';
import { append } from '../../core/lists';
import { writeNpy } from '../../data';
import type { Glow } from '../../flows';
import { euclideanNorm, Matrix } from '../../linalg';
import { writeFileAtomically } from '../../node/atomicFile';
import type { Terminal } from '../command';
import { type ModelImages, passOptions } from '../datasets';
import { fileNames } from '../fileNames';
import { readJsonObjectIfAny } from '../json';
import { differences, type Origin } from './origin';

/** What is known of one attribute's direction. */
export interface AttributeReport {
  index: number;
  name: string;
  /** Images with the attribute and without it. */
  with: number;
  without: number;
  /** File of z_delta, [d]; null where there is none. */
  file: string | null;
  /** Length of z_delta. */
  norm: number | null;
  /** Mean square of z_delta over its standard error: 1 where there is no effect. */
  signal: number | null;
  /** Why there is no direction. */
  reason?: string;
}

/** All directions of a data set's attributes. */
export interface Report {
  model: string;
  origin: Origin;
  /** Images that were used. */
  count: number;
  /** Length d of the latents. */
  size: number;
  attributes: AttributeReport[];
}

/** z_delta of every attribute: mean latent with it minus mean latent without it, over all levels. */
export async function deltasOf(
  glow: Glow,
  images: ModelImages,
  model: string,
  origin: Origin,
  terminal: Terminal,
): Promise<{ report: Report; deltas: Map<number, Float64Array> }> {
  const { names, values } = images.dataset.attributes!;
  const [size] = glow.latentShape;
  const rows: number[] = [];
  const latents: Float32Array[] = [];
  await images.forEach(async (batch) => {
    const z = glow.encode(batch.x, passOptions(batch));
    latents.push(Float32Array.from(await z.data()));
    z.dispose();
    append(rows, batch.indices);
    if (!terminal.quiet && rows.length % 1024 < 32)
      terminal.note(`encoded ${rows.length} of ${images.count} images`);
  });
  const z = Matrix.zeros(rows.length, size);
  let at = 0;
  for (const part of latents) {
    z.data.set(part, at);
    at += part.length;
  }
  const table = Matrix.zeros(rows.length, names.length);
  rows.forEach((row, i) => {
    table.row(i).set(values.subarray(row * names.length, (row + 1) * names.length));
  });
  const subclass = new Int32Array(rows.length);
  const deltas = new Map<number, Float64Array>();
  const files = fileNames(names);
  const attributes = names.map((name, index): AttributeReport => {
    const present = table.column(index).filter((value) => value > 0).length;
    const counts = { index, name, with: present, without: rows.length - present };
    try {
      const direction = zDelta({ z, subclass, attributes: table }, { attribute: index });
      deltas.set(index, direction.delta);
      return {
        ...counts,
        file: `z_delta_${index}_${files[index]}.npy`,
        norm: euclideanNorm(direction.delta),
        signal: directionSignal(direction),
      };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return { ...counts, file: null, norm: null, signal: null, reason: error.message };
    }
  });
  return { report: { model, origin, count: rows.length, size, attributes }, deltas };
}

export async function writeReport(
  folder: string,
  report: Report,
  deltas: ReadonlyMap<number, Float64Array>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  // An older report must not stand beside new files when this is interrupted.
  await rm(join(folder, 'report.json'), { force: true });
  for (const [index, delta] of deltas) {
    const bytes = writeNpy({ shape: [delta.length], data: Float32Array.from(delta) });
    await writeFileAtomically(join(folder, report.attributes[index].file!), bytes);
  }
  // Last, so that a report means that all its files are there.
  await writeFileAtomically(join(folder, 'report.json'), JSON.stringify(report, null, 2));
}

/**
 * The report of a folder, if there is one.
 *
 * @throws FormatError for a damaged one; DataError where it was made by another model, of other images or with other options: its z_delta would be a wrong one
 */
export async function readReport(folder: string, now: Origin): Promise<Report | undefined> {
  const path = join(folder, 'report.json');
  const hint = '--recompute computes it anew.';
  const report = await readJsonObjectIfAny('attributes', path, hint);
  if (report === undefined) return undefined;
  if (!isReport(report)) {
    const received = `keys ${Object.keys(report).join(', ') || 'none'}`;
    throw new FormatError(complaint('attributes', `a report of z_delta in '${path}'`, received, hint));
  }
  const differing = differences(report.origin, now);
  if (differing.length === 0) return report;
  throw new DataError(
    `'${folder}' holds z_delta of ${differing.join(' and of ')}. Give another folder, or --recompute.`,
  );
}

function isReport(json: object): json is Report {
  const { attributes, origin } = json as Partial<Report>;
  const isNumberOrNull = (value: unknown) => value === null || typeof value === 'number';
  return (
    (origin === undefined || (typeof origin === 'object' && origin !== null)) &&
    Array.isArray(attributes) &&
    attributes.every(
      (entry: Partial<AttributeReport> | null, place) =>
        entry?.index === place &&
        typeof entry.name === 'string' &&
        typeof entry.with === 'number' &&
        typeof entry.without === 'number' &&
        (entry.file === null || (typeof entry.file === 'string' && basename(entry.file) === entry.file)) &&
        isNumberOrNull(entry.norm) &&
        isNumberOrNull(entry.signal),
    )
  );
}
