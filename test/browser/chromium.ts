import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** False where no Chromium is installed: its tests are then skipped, and the run says so. */
export const hasChromium = existsSync(executablePath);

if (!hasChromium) {
  console.warn(
    `No Chromium at ${executablePath}: browser tests are skipped. Install it, or set CHROMIUM_PATH.`,
  );
}

/** Headless Chromium with software rendering for WebGL and WebGPU: right, not fast. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      '--enable-unsafe-swiftshader',
    ],
  });
}
