import { writeFileAtomically } from '../../node/atomicFile';
import { stateDictOf, writeStateDict } from '../../published/exportStateDict';
import { type Answer, type Arguments, type Command, UsageError } from '../command';
import { importOptions, loadFlowFile, saveModelFile, vectorOptions } from '../models';

const targets = ['tfjs-flows', 'zuko', 'nflows', 'chaiyujin', 'rosinality'] as const;

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
  const flow = await loadFlowFile(args.positional('from'), args);
  let python: string | undefined;
  if (code === 'tfjs-flows') await saveModelFile(flow, output);
  else {
    const batchSize = args.integer('batch-size', 1);
    const dict = await stateDictOf(flow, code, { container, batchSize });
    python = dict.metadata.python;
    await writeFileAtomically(output, writeStateDict(dict, container));
  }
  const parameters = flow.parameterCount;
  flow.dispose();
  const summary = `${parameters.toLocaleString('en-US')} parameters for ${code} in ${output}`;
  const lines = python === undefined ? [summary] : [summary, '', 'The flow is built there by:', '', python];
  return { text: lines.join('\n'), data: { output, code, parameters, ...(python && { python }) } };
}
