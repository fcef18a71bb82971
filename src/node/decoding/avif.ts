import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ConfigError } from '../../core/errors';
import type { Raster } from '../../data';
import { undecodable, viewOf } from '../../data/bytes';
import { rasterOfRgba } from './rgba';
import { checkSize } from './size';

const PACKAGE = '@jsquash/avif';

/** What the package exports, in types that hold outside of a page too. */
interface Avif {
  init(binary: WebAssembly.Module): Promise<void>;
  default(file: ArrayBuffer): Promise<{ width: number; height: number; data: Uint8ClampedArray }>;
}

/**
 * A decoder of AVIF files by libavif, whose package is installed by those who have such files: it weighs 8 MB.
 *
 * @throws ConfigError where it is not installed
 */
export async function loadAvif(): Promise<(bytes: Uint8Array) => Promise<Raster>> {
  let binary: string;
  try {
    binary = createRequire(import.meta.url).resolve(`${PACKAGE}/codec/dec/avif_dec.wasm`);
  } catch (error) {
    const message = `AVIF files need a decoder that is not installed. npm install ${PACKAGE}`;
    throw new ConfigError(message, { cause: error });
  }
  const { init, default: decode }: Avif = (await import('@jsquash/avif/decode.js')) as object as Avif;
  await init(new WebAssembly.Module(readFileSync(binary)));
  return async (bytes) => {
    checkSize(...sidesOf(bytes));
    try {
      const { width, height, data } = await decode(new Uint8Array(bytes).buffer);
      return rasterOfRgba(width, height, data);
    } catch (error) {
      throw undecodable('decodeImage', 'a whole AVIF file', error);
    }
  };
}

/** Width and height by the first box that tells them. */
function sidesOf(bytes: Uint8Array): [width: number, height: number] {
  const box = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('ispe');
  if (box < 0 || box + 16 > bytes.length) {
    throw undecodable('decodeImage', 'a whole AVIF file', 'it does not tell its size');
  }
  return [viewOf(bytes).getUint32(box + 8), viewOf(bytes).getUint32(box + 12)];
}
