/**
 * For Node: `file://` addresses that are written atomically, checkpoint directories, data sets of image files.
 *
 * @module tfjs-flows/node
 */
import { registerFileScheme } from './fileSystem';

export {
  type CheckpointDirectory,
  type CheckpointDirectoryOptions,
  checkpointDirectory,
} from './checkpointDirectory';
export * from './datasets';
export { decodeImage } from './decoding/decodeImage';
export { fileSystem } from './fileSystem';
export { importCheckpointFile } from './importCheckpointFile';
export { abortOnInterrupt } from './interrupt';
export { readTableFile } from './readTableFile';

registerFileScheme();
