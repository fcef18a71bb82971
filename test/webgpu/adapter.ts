import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** The software adapter that Debian's Chromium brings; the loader finds it by this variable. */
export const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json';

if (existsSync(SOFTWARE)) process.env.VK_ICD_FILENAMES ??= SOFTWARE;
process.env.XDG_RUNTIME_DIR ??= tmpdir();

/** Whether there is an adapter at hand; without one the tests of WebGPU in Node are skipped. */
export const hasAdapter = await (async () => {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  return (await create([]).requestAdapter()) !== null;
})();

if (!hasAdapter) {
  console.warn(
    'No WebGPU adapter (libvulkan1 and chromium give one): the tests of WebGPU in Node are skipped.',
  );
}

/**
 * Names of what is compared with other numbers. CI takes all of it in Chromium, on the same adapter, and every third here, as programs take
 * long to compile in software.
 */
export function shareOf(compared: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(compared).filter((_, i) => process.env.CI === undefined || i % 3 === 0);
}
