import { FormatError } from '../../core/errors';
import { Glow } from '../../flows';
import { writeFileAtomically } from '../../node/atomicFile';
import { exportStateDict } from '../../published';
import { type Answer, type Arguments, type Command, UsageError } from '../command';
import { importOptions, loadFlowFile, saveModelFile, vectorOptions } from '../models';

const targets = ['tfjs-flows', 'chaiyujin', 'rosinality'] as const;

export const convert: Command = {
  name: 'convert',
  summary: 'a flow from one format to another',
  positionals: [
    { name: 'from', description: 'any supported checkpoint, saved flow or training run' },
    { name: 'to', description: '.safetensors or, for the PyTorch codes, .npz' },
  ],
  options: {
    ...importOptions,
    ...vectorOptions,
    to: { value: targets.join('|'), description: 'code that shall read it (default tfjs-flows)' },
    'batch-size': { value: 'N', description: "images per device, for chaiyujin's prior_h (default 1)" },
  },
  computes: true,
  run,
};

async function run(args: Arguments): Promise<Answer> {
  const output = args.positional('to');
  const code = args.choice('to', targets) ?? 'tfjs-flows';
  const container = /\.npz$/i.test(output) ? 'npz' : 'safetensors';
  if (!/\.(safetensors|npz)$/i.test(output) || (code === 'tfjs-flows' && container === 'npz')) {
    throw new UsageError(
      `<to> ends in .safetensors${code === 'tfjs-flows' ? '' : ' or .npz'}, unlike '${output}'.`,
    );
  }
  const from = args.positional('from');
  const flow = await loadFlowFile(from, args);
  if (code === 'tfjs-flows') await saveModelFile(flow, output);
  else if (flow instanceof Glow) {
    const batchSize = args.integer('batch-size', 1);
    await writeFileAtomically(output, await exportStateDict(flow, code, { container, batchSize }));
  } else throw new FormatError(`'${from}' holds another flow than a Glow, which ${code} needs.`);
  const parameters = flow.parameterCount;
  flow.dispose();
  return {
    text: `${parameters.toLocaleString('en-US')} parameters for ${code} in ${output}`,
    data: { output, code, parameters },
  };
}
