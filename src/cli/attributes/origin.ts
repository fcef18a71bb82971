import { crc32 } from '../../core/checksum';
import type { Glow } from '../../flows';
import type { ModelImages } from '../datasets';

/** What z_delta was made of: where any of it differs, so does z_delta. */
export interface Origin {
  /** Checksum of the model's configuration and weights. */
  weights: string;
  /** Checksum of the images' names and attributes, and of the levels of `PROBES` of them as the model gets them. */
  images: string;
  /** How many images were looked at. */
  count: number;
  /** Side of the square cut from the middle of each; null for the largest part of the wanted proportions. */
  centerCrop: number | null;
}

/** Images whose levels are checked, evenly spread: all would take as long to read as the first time. */
const PROBES = 256;

/** What z_delta would be made of now. */
export async function originOf(
  glow: Glow,
  images: ModelImages,
  centerCrop: number | undefined,
): Promise<Origin> {
  const weights: number[] = [crcOf(JSON.stringify(glow.getConfig()))];
  for (const variable of [...glow.trainableWeights, ...glow.nonTrainableWeights]) {
    const { buffer, byteOffset, byteLength } = await variable.data();
    weights.push(crc32(new Uint8Array(buffer, byteOffset, byteLength)));
  }
  return {
    weights: crcOfAll(weights),
    images: await checksumOfImages(images),
    count: images.count,
    centerCrop: centerCrop ?? null,
  };
}

/** What differs between two origins, in words; nothing where z_delta is the same. */
export function differences(known: Partial<Origin> | undefined, now: Origin): string[] {
  if (known === undefined) return ['an older version, which kept no checksums'];
  const found: string[] = [];
  if (known.weights !== now.weights) found.push('another model');
  if (known.count !== now.count) found.push(`${known.count} images, not ${now.count} (--limit)`);
  if (known.centerCrop !== now.centerCrop) {
    const [before, after] = [known, now].map(({ centerCrop }) => centerCrop ?? 'none');
    found.push(`--center-crop ${before}, not ${after}`);
  }
  // Another count or crop shows other images, and is named already.
  if (found.length === 0 && known.images !== now.images) found.push('other images or attributes');
  return found;
}

async function checksumOfImages({ dataset, count }: ModelImages): Promise<string> {
  const { names, attributes } = dataset;
  const width = attributes?.names.length ?? 0;
  const parts = [
    crcOf(JSON.stringify([names.slice(0, count), attributes?.names])),
    crc32(Uint8Array.from(attributes?.values.subarray(0, count * width) ?? [])),
  ];
  const step = Math.max(1, count / PROBES);
  for (let at = 0; at < count; at += step) {
    // What cannot be read is left out of z_delta too, and is said elsewhere.
    const levels = await dataset.read(Math.floor(at)).catch(() => new Uint8Array());
    parts.push(crc32(levels));
  }
  return crcOfAll(parts);
}

function crcOf(text: string): number {
  return crc32(new TextEncoder().encode(text));
}

function crcOfAll(parts: readonly number[]): string {
  return crcOf(parts.join(' ')).toString(16).padStart(8, '0');
}
