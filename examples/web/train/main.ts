/**
 * Trains the small Glows that the page ships with, and learns the attribute directions and the prior beside them.
 *
 *     npm run web:train [-- garments|faces|all [steps|statistics]]
 *
 * The same steps give the same files on the same machine. With `statistics` the weights stay, directions and prior are learned anew.
 */
import { fileURLToPath } from 'node:url';
import { prepareWasm } from 'tfjs-flows/wasm';
import { buildModel, describeModel, type Recipe } from './build';
import { loadFaces } from './faces';
import { loadGarments } from './garments';

const recipes: Record<string, Recipe> = {
  garments: { load: loadGarments, glow: { levels: 2, stepsPerLevel: 6, hiddenChannels: 64 }, steps: 3000 },
  faces: { load: loadFaces, glow: { levels: 3, stepsPerLevel: 5, hiddenChannels: 64 }, steps: 3000 },
};

const [which = 'all', what] = process.argv.slice(2);
await prepareWasm();
for (const [name, recipe] of Object.entries(recipes)) {
  if (which !== 'all' && which !== name) continue;
  const folder = fileURLToPath(new URL(`../public/models/${name}`, import.meta.url));
  if (what === 'statistics') await describeModel(folder, recipe);
  else await buildModel(folder, { ...recipe, steps: what === undefined ? recipe.steps : Number(what) });
}
