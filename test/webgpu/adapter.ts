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
