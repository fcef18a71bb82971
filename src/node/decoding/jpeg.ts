import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { complaint, FormatError } from '../../core/errors';
import type { Raster } from '../../data';
import { undecodable, viewOf } from '../../data/bytes';
import { latin1 } from '../../data/latin1';
import { checkSize } from './size';

/*
 * JPEG by libjpeg-turbo, compiled to WebAssembly in the package @cwasm/jpeg-turbo: the arithmetic of Pillow, to the bit. The package's own
 * function gives four channels, knows no CMYK, and loses memory with every damaged file; so the binary is called by its C interface
 * (turbojpeg.h).
 */
interface TurboJpeg {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(address: number): void;
  tjInitDecompress(): number;
  tjDecompressHeader3(
    decoder: number,
    file: number,
    length: number,
    width: number,
    height: number,
    subsampling: number,
    colors: number,
  ): number;
  tjDecompress2(
    decoder: number,
    file: number,
    length: number,
    pixels: number,
    width: number,
    rowBytes: number,
    height: number,
    pixelFormat: number,
    flags: number,
  ): number;
  tjDestroy(decoder: number): number;
}

/** Pixel formats of turbojpeg.h by the number of channels. */
const PIXEL_FORMATS: Record<number, number> = { 1: 6, 3: 0, 4: 11 };

/** An instance whose memory grew beyond this is not kept: WebAssembly never gives memory back. */
const KEPT_BYTES = 2 ** 26;

/** What the header of a JPEG file says. */
interface JpegHeader {
  width: number;
  height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  channels: number;
  /** Whether CMYK is written inverted, as Adobe's programs do. */
  adobe: boolean;
  /** Where the first scan begins. */
  scan: number;
}

/**
 * Decodes a JPEG file to grey or RGB.
 *
 * @throws FormatError for a damaged or truncated file, and for kinds of JPEG that hardly any program writes, with their names
 */
export function decodeJpeg(bytes: Uint8Array): Raster {
  const header = readHeader(bytes);
  const { width, height, channels } = header;
  checkSize(width, height);
  if (PIXEL_FORMATS[channels] === undefined) {
    throw new FormatError(complaint('decodeImage', 'JPEG of 1, 3 or 4 channels', `${channels} channels`));
  }
  const data = decompress(bytes, header);
  return channels === 4
    ? { width, height, channels: 3, data: rgbOfCmyk(data, header.adobe) }
    : { width, height, channels, data };
}

/** The segments of a JPEG file up to its first scan, which is the last of them. */
export function* jpegSegments(bytes: Uint8Array): Generator<{ marker: number; content: Uint8Array }> {
  const view = viewOf(bytes);
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return;
    const marker = bytes[at + 1];
    // Any number of these may stand before a marker.
    if (marker === 0xff) at++;
    else {
      const end = at + 2 + view.getUint16(at + 2);
      yield { marker, content: bytes.subarray(at + 4, end) };
      if (marker === 0xda) return;
      at = end;
    }
  }
}

function readHeader(bytes: Uint8Array): JpegHeader {
  const found: Partial<JpegHeader> = { adobe: false };
  for (const { marker, content } of jpegSegments(bytes)) {
    if (marker === 0xee && latin1(content.subarray(0, 5)) === 'Adobe') found.adobe = true;
    if (marker === 0xf7 || (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))) {
      refuseRareKind(marker, content[0]);
      if (content.length < 6) break;
      found.height = viewOf(content).getUint16(1);
      found.width = viewOf(content).getUint16(3);
      found.channels = content[5];
    }
    if (marker === 0xda && found.channels !== undefined) {
      return { ...found, scan: content.byteOffset - bytes.byteOffset } as JpegHeader;
    }
  }
  throw damaged('it ends before the picture begins');
}

/** Frames that are no pictures of 8 bits coded by Huffman's method. */
function refuseRareKind(marker: number, precision: number): void {
  const kind =
    marker === 0xf7
      ? 'JPEG-LS'
      : [0xc3, 0xc7, 0xcb, 0xcf].includes(marker)
        ? 'lossless JPEG'
        : marker >= 0xc9
          ? 'JPEG by arithmetic coding'
          : marker >= 0xc5
            ? 'hierarchical JPEG'
            : precision === 8
              ? undefined
              : `JPEG of ${precision} bits`;
  if (kind === undefined) return;
  const hint = 'Save it again as common JPEG, or as PNG.';
  throw new FormatError(complaint('decodeImage', 'JPEG of 8 bits, baseline or progressive', kind, hint));
}

let shared: TurboJpeg | undefined;
let binary: WebAssembly.Module | undefined;

function decompress(bytes: Uint8Array, { width, height, channels, scan }: JpegHeader): Uint8Array {
  const turbo = shared ?? instantiate();
  // An instance that an error left in the middle of its work is lost.
  shared = undefined;
  const size = width * height * channels;
  const file = turbo.malloc(bytes.length);
  const pixels = turbo.malloc(size);
  const numbers = turbo.malloc(16);
  const decoder = turbo.tjInitDecompress();
  if ([file, pixels, numbers, decoder].includes(0)) throw damaged('there is no memory for it');
  new Uint8Array(turbo.memory.buffer).set(bytes, file);
  let status: number;
  try {
    status =
      turbo.tjDecompressHeader3(
        decoder,
        file,
        bytes.length,
        numbers,
        numbers + 4,
        numbers + 8,
        numbers + 12,
      ) ||
      turbo.tjDecompress2(
        decoder,
        file,
        bytes.length,
        pixels,
        width,
        width * channels,
        height,
        PIXEL_FORMATS[channels],
        0,
      );
  } catch (error) {
    throw damaged(error);
  }
  // A status without an error is a warning: a few bytes too many are harmless, an end that is missing is not.
  if (
    status !== 0 &&
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf('ffd9', 'hex') < scan
  ) {
    throw damaged('it ends before the picture does');
  }
  const data = new Uint8Array(turbo.memory.buffer, pixels, size);
  if (turbo.memory.buffer.byteLength > KEPT_BYTES) return data;
  const copy = data.slice();
  turbo.tjDestroy(decoder);
  for (const address of [file, pixels, numbers]) turbo.free(address);
  shared = turbo;
  return copy;
}

function instantiate(): TurboJpeg {
  binary ??= new WebAssembly.Module(
    readFileSync(createRequire(import.meta.url).resolve('@cwasm/jpeg-turbo/jpeg-turbo.wasm')),
  );
  const stop = () => {
    throw new Error('not the data of a picture');
  };
  const none = () => 0;
  const { exports } = new WebAssembly.Instance(binary, {
    env: { setjmp: none, longjmp: stop },
    wasi_snapshot_preview1: {
      environ_sizes_get: none,
      environ_get: none,
      proc_exit: stop,
      fd_close: none,
      fd_seek: none,
      fd_write: none,
    },
  });
  return exports as unknown as TurboJpeg;
}

/** Red, green and blue as Pillow makes them of printing inks: what the ink leaves of white, times what black leaves of it. */
function rgbOfCmyk(inks: Uint8Array, inverted: boolean): Uint8Array {
  const colors = new Uint8Array((inks.length / 4) * 3);
  const flip = inverted ? 0 : 255;
  for (let from = 0, to = 0; from < inks.length; from += 4) {
    const light = inks[from + 3] ^ flip;
    for (let channel = 0; channel < 3; channel++) {
      const product = (255 - (inks[from + channel] ^ flip)) * light + 128;
      colors[to++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return colors;
}

function damaged(cause: unknown): FormatError {
  return undecodable('decodeImage', 'a whole JPEG file', cause);
}
