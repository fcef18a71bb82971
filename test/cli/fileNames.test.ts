import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileNames } from '../../src/cli/fileNames';

it('letters of all alphabets stay; what no file system takes becomes _', () => {
  const names = [
    '苹果',
    '梨子',
    'Äpfel',
    'яблоко',
    'ส้ม',
    'hair=brown',
    'a/b',
    '..',
    'C:\\x',
    'run #2?',
    '50%',
  ];
  expect(fileNames(names)).toEqual([
    ...['苹果', '梨子', 'Äpfel', 'яблоко', 'ส้ม', 'hair_brown', 'a_b', '__', 'C__x', 'run__2_', '50_'],
  ]);
});

it.each([
  ['what becomes alike', ['a b', 'a_b', 'a-b', 'a_b'], ['a_b', 'a_b-2', 'a-b', 'a_b-3']],
  ['numbers that names have already', ['a b', 'a_b', 'a_b-2'], ['a_b', 'a_b-2', 'a_b-2-2']],
  ['capitals', ['Smiling', 'smiling', 'STRASSE', 'straße'], ['Smiling', 'smiling-2', 'STRASSE', 'straße-2']],
  ['two ways to write a letter', ['caf\u00e9', 'cafe\u0301'], ['café', 'café-2']],
  ['signs alone', ['?', '!', ''], ['_', '_-2', '_-3']],
])('no two are the same: %s', (_, names, expected) => {
  expect(fileNames(names)).toEqual(expected);
});

it('names of devices and endless names are no file names', () => {
  expect(fileNames(['con', 'NUL', 'com1', 'lpt10', 'console'])).toEqual([
    ...['con_', 'NUL_', 'com1_', 'lpt10', 'console'],
  ]);
  const long = ['字'.repeat(400), `${'字'.repeat(400)}!`, '😀'.repeat(400)];
  const files = fileNames(long);
  expect(new Set(files).size).toBe(3);
  for (const file of files) expect(Buffer.byteLength(file)).toBeLessThan(210);
});

it('every name of a set has a file of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-names-'));
  const names = Array.from({ length: 300 }, (_, i) => `${'ab #_'[i % 5]}${'xX/é'[i % 4]}${'1 2'[i % 3]}`);
  for (const name of fileNames(names)) writeFileSync(join(folder, `${name}.png`), '');
  expect(readdirSync(folder)).toHaveLength(300);
  rmSync(folder, { recursive: true });
});
