/**
 * Makes the pictures of docs/gallery.md from real runs: the models that the web example ships, and small flows trained here.
 *
 *     npm run gallery
 *
 * Takes a few minutes on two cores. The same machine gives the same files.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { encodePng, type Raster } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { attributeWalk, interpolations, samplesByTemperature } from './images';
import { mixingCurves } from './mixing';
import { densities } from './plane';
import { wines } from './wines';

const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
await mkdir(folder, { recursive: true });
await prepareWasm();

await savePng('samples-garments', await samplesByTemperature('garments'));
await savePng('samples-faces', await samplesByTemperature('faces'));
await savePng('interpolation', await interpolations('faces', 20, 33));
await savePng('brightness', await attributeWalk('garments', 'brightness', 2.5));
await savePng('head-turn', await attributeWalk('faces', 'head to the right', 2.5));
await savePng('densities', await densities());
await save('mixing.svg', await mixingCurves());
await save('wines.svg', await wines());

function savePng(name: string, raster: Raster): Promise<void> {
  return save(`${name}.png`, encodePng(raster));
}

async function save(name: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${folder}${name}`, content);
  console.log(`docs/pictures/${name}, ${content.length.toLocaleString('en-US')} bytes`);
}
