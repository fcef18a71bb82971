/**
 * Trains the small Glows that the page ships with, and learns the attribute directions and the prior beside them.
 *
 *     npm run web:train [-- garments|faces|all [steps]]
 *
 * The same steps give the same files on the same machine.
 */
import { fileURLToPath } from 'node:url';
import { prepareWasm } from 'tfjs-flows/wasm';
import { buildModel, type Recipe } from './build';
import { loadFaces } from './faces';
import { loadGarments } from './garments';

const recipes: Record<string, Recipe> = {
  garments: { load: loadGarments, glow: { levels: 2, stepsPerLevel: 6, hiddenChannels: 64 }, steps: 3000 },
  faces: { load: loadFaces, glow: { levels: 3, stepsPerLevel: 5, hiddenChannels: 64 }, steps: 3000 },
};

const [which = 'all', steps] = process.argv.slice(2);
await prepareWasm();
for (const [name, recipe] of Object.entries(recipes)) {
  if (which === 'all' || which === name) {
    const folder = fileURLToPath(new URL(`../public/models/${name}`, import.meta.url));
    await buildModel(folder, { ...recipe, steps: steps === undefined ? recipe.steps : Number(steps) });
  }
}
