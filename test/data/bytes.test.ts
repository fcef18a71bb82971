import { runInNewContext } from 'node:vm';
import {
  DataError,
  decodePng,
  encodePng,
  FormatError,
  importCheckpoint,
  inspectCheckpoint,
  readIdx,
  readNpy,
  readNpz,
  readSafetensors,
  readTable,
  readTorchFile,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

const readers: Record<string, (bytes: never) => unknown> = {
  decodePng,
  importCheckpoint: (bytes) => importCheckpoint(bytes, { imageShape: [8, 8, 3] }),
  'importCheckpoint (inspected)': inspectCheckpoint,
  readIdx,
  readNpy,
  readNpz,
  readSafetensors,
  readTorchFile,
};

/** What people pass in place of bytes, and what they are told. */
const mistakes: [string, unknown, RegExp][] = [
  ['a path', 'pictures/faces.npz', /got the text 'pictures\/faces\.npz'\. Read the file first\./],
  ['a URL', new URL('file:///faces.npz'), /got the address file:\/\/\/faces\.npz\. Read the file first\./],
  ['a promise', Promise.resolve(Uint8Array.of(1)), /got a Promise\. Await it\./],
  ['a Blob', new Blob(['x']), /got a Blob\. Give what its arrayBuffer\(\) resolves to\./],
  ['a Response', new Response('x'), /got a Response\. Give what its arrayBuffer\(\) resolves to\./],
  ['numbers', [0x93, 0x4e], /got an array\. Uint8Array\.from makes bytes/],
  ['floats', Float32Array.of(1, 2), /got Float32Array\./],
  ['nothing', undefined, /got undefined\./],
  ['null', null, /got null\./],
];

/** What people have in place of the file, and what they are told. */
const standIns: [string, string, RegExp][] = [
  ['a web page', '<!DOCTYPE html><html></html>', /got a web page \(HTML\)\. The download failed/],
  ['a web page behind blank lines', '\ufeff\n\n<html lang="en">', /got a web page \(HTML\)/],
  [
    'an error of a bucket',
    '<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>',
    /file server \(XML\)/,
  ],
  [
    'a Git LFS pointer',
    'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
    /got a Git LFS pointer\. 'git lfs pull'/,
  ],
  [
    'an index of shards',
    '{"metadata":{},"weight_map":{}}',
    /got the index of sharded safetensors\. Read the/,
  ],
];

describe.each(Object.entries(readers))('%s', (name, read) => {
  it.each(standIns)('says that it is %s', async (_, text, message) => {
    const bytes = new TextEncoder().encode(text);
    await expect(async () => read(bytes as never)).rejects.toThrow(FormatError);
    await expect(async () => read(bytes as never)).rejects.toThrow(message);
  });

  it.each(mistakes)('says what to do about %s in place of bytes', async (_, input, message) => {
    const where = name.replace(/ .*/, '');
    await expect(async () => read(input as never)).rejects.toThrow(DataError);
    await expect(async () => read(input as never)).rejects.toThrow(message);
    await expect(async () => read(input as never)).rejects.toThrow(`${where}: expected the file's bytes`);
  });
});

describe('files of another kind', () => {
  const png = encodePng({ width: 1, height: 1, channels: 1, data: Uint8Array.of(7) });
  it.each<[string, string, Uint8Array, RegExp]>([
    ['importCheckpoint', 'a picture', png, /got a PNG picture/],
    ['importCheckpoint', 'Keras weights', new TextEncoder().encode('....\r\n'), /got the text '\.\.\.\.'/],
    ['readIdx', 'a picture', png, /got a PNG picture/],
    [
      'readNpy',
      'an archive of arrays',
      writeNpz({ x: { shape: [1], data: Uint8Array.of(1) } }),
      /got a zip archive/,
    ],
    ['readNpz', 'one array', writeNpy({ shape: [1], data: Uint8Array.of(1) }), /got a numpy array/],
    ['readTorchFile', 'text', new TextEncoder().encode('hello'), /got the text 'hello'/],
    [
      'readTorchFile',
      'safetensors',
      writeSafetensors({ x: { shape: [1], data: Uint8Array.of(1) } }),
      /got a safetensors/,
    ],
    ['readSafetensors', 'a picture', png, /got a PNG picture/],
    [
      'readSafetensors',
      'other bytes',
      Uint8Array.of(1, 2, 255, 4, 5),
      /got 5 bytes that begin with '01 02 ff 04 05'/,
    ],
    ['readIdx', 'nothing', new Uint8Array(0), /got nothing \(0 bytes\)/],
  ])('%s says what it got: %s', async (name, _, bytes, message) => {
    await expect(async () => readers[name](bytes as never)).rejects.toThrow(FormatError);
    await expect(async () => readers[name](bytes as never)).rejects.toThrow(message);
  });

  it('tables are told from web pages too', async () => {
    await expect(readTable(new TextEncoder().encode('<!doctype html><html>'))).rejects.toThrow(
      /a web page \(HTML\)/,
    );
  });
});

describe('bytes', () => {
  const file = writeNpy({ shape: [2], data: Float32Array.of(1.5, -2) });

  it('are read from arrays, buffers, parts of buffers and views alike', () => {
    const around = new Uint8Array(file.length + 7);
    around.set(file, 3);
    const own = file.slice();
    const forms: (Uint8Array | ArrayBuffer | ArrayBufferView)[] = [
      own,
      own.buffer,
      Buffer.from(file),
      around.subarray(3, 3 + file.length),
      new DataView(around.buffer, 3, file.length),
      new Uint8ClampedArray(around.buffer, 3, file.length),
    ];
    for (const form of forms) expect([...readNpy(form as Uint8Array).data]).toEqual([1.5, -2]);
  });

  it('are read from the buffers of another realm', () => {
    const other = runInNewContext('Uint8Array.from(bytes)', { bytes: [...file] });
    expect(other).not.toBeInstanceOf(Uint8Array);
    expect([...readNpy(other).data]).toEqual([1.5, -2]);
    expect([...readNpy(other.buffer).data]).toEqual([1.5, -2]);
  });
});
