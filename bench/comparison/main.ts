/**
 * Speed and memory of our training, encoding and sampling beside the same models elsewhere, on the same cores, in turns.
 *
 *     npm run bench [-- --parts pytorch,vectors,growth,peak,stock,node,webgpu --cases G1,G2,G3,G3-reversible,G4,tabular --threads 1,2 --rounds 11]
 *     npm run bench -- --parts vectors --nflows FOLDER --zuko FOLDER --normflows FOLDER [--kinds splineCoupling,splineAutoregressive,affineAutoregressive,affineCoupling --clock wall|cpu]
 *
 * - pytorch: every case (G3 with stored and with reversible gradients), on this Node and on Node 24, beside PyTorch (Debian: python3-torch and libopenblas0-pthread; PYTHON names another interpreter)
 * - vectors: splines and affine maps in couplings and masked autoregressive layers, on one thread, beside the libraries of which a folder of
 *   sources is given (also by NFLOWS, ZUKO, NORMFLOWS), each in that library's architecture; beside bench/peers/vectors.py where none is
 * - growth: peak memory of G1 over its depth, with stored and reversible gradients, and in PyTorch
 * - peak: peak memory of G3 with Adam and with moments of 16 bits, and in PyTorch
 * - stock: a training step beside the ordinary ops of tfjs on the cpu backend
 * - node: a training step on this Node and on Node 24, with and without the instructions that they keep behind flags
 * - webgpu: dispatches, the host's time and the time of a training step on WebGPU, beside the ordinary ops of tfjs on the same adapter, and
 *   beside PyTorch where that has a GPU of NVIDIA. The adapter is the system's; a software one by VK_ICD_FILENAMES
 *
 * Prints tables. A part measured with all cases and threads is also kept: in bench/results and docs/performance.md.
 */
import { acrossNodes } from './acrossNodes';
import { againstLibraries } from './againstLibraries';
import { againstPyTorch } from './againstPyTorch';
import { againstStock } from './againstStock';
import { bundleOurs } from './contenders';
import { growth } from './growth';
import { describeMachine, load } from './machine';
import { onWebGpu } from './onWebGpu';
import { peak } from './peak';
import { type Findings, save } from './report';
import { type PartName, readSettings, type Settings } from './settings';

const parts: Record<PartName, (settings: Settings) => Promise<Findings | undefined>> = {
  pytorch: againstPyTorch,
  vectors: againstLibraries,
  growth,
  peak,
  stock: againstStock,
  node: acrossNodes,
  webgpu: onWebGpu,
};

const settings = readSettings();
const machine = describeMachine();
console.log(machine);
bundleOurs();
for (const part of settings.parts) {
  console.log(`\n== ${part}`);
  const before = load();
  const findings = await parts[part](settings);
  if (findings === undefined) continue;
  const circumstances = `${machine}; ${settings.rounds} rounds; load ${before} before, ${load()} after.`;
  console.log(`${findings.note}\n${circumstances}`);
  if (settings.complete) save(part, circumstances, findings);
}
