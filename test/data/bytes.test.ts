import { runInNewContext } from 'node:vm';
import {
  DataError,
  decodePng,
  importCheckpoint,
  inspectCheckpoint,
  readIdx,
  readNpy,
  readNpz,
  readSafetensors,
  readTorchFile,
  writeNpy,
} from 'tfjs-flows';
import { decodeImage } from 'tfjs-flows/node';
import { describe, expect, it } from 'vitest';

const readers: Record<string, (bytes: never) => unknown> = {
  decodeImage,
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

describe.each(Object.entries(readers))('%s', (name, read) => {
  it.each(mistakes)('says what to do about %s in place of bytes', (_, input, message) => {
    const where = name.replace(/ .*/, '');
    expect(() => read(input as never)).toThrow(DataError);
    expect(() => read(input as never)).toThrow(message);
    expect(() => read(input as never)).toThrow(`${where}: expected the file's bytes`);
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
