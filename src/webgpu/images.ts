import type { TensorInfo } from '@tensorflow/tfjs-core';

/** A layer of `fusedConvolutions`. */
export interface Layer {
  filter: TensorInfo;
  offset: TensorInfo;
  logScale?: TensorInfo;
  /** On logScale; 0 without. */
  factor: number;
  /** Side of the filters. */
  size: number;
  /** Channels. */
  inputs: number;
  outputs: number;
  /** Lines of the offset: 1, or the positions of an image. */
  offsetRows: number;
}

/** What stands for an absent logScale is multiplied by a factor of 0. */
export function logScaleOf({ logScale, offset }: Layer): TensorInfo {
  return logScale ?? offset;
}

/** Images [n, h, w, stride], of whose pixels the first channels are read. */
export interface Images {
  tensor: TensorInfo;
  positions: number;
  height: number;
  width: number;
  channels: number;
  stride: number;
}

/** Images [n, h, w, c], and vectors as images of one pixel. */
export function imagesOf(tensor: TensorInfo, channels = tensor.shape[tensor.shape.length - 1]): Images {
  const { shape } = tensor;
  const [height, width] = shape.length === 4 ? shape.slice(1, 3) : [1, 1];
  return {
    tensor,
    positions: shape[0] * height * width,
    height,
    width,
    channels,
    stride: shape[shape.length - 1],
  };
}

/** Fields of a program's sizes that describe images. */
export const IMAGE_SIZES = [
  'positions: u32',
  'height: i32',
  'width: i32',
  'channels: u32',
  'stride: u32',
] as const;

/** Values of `IMAGE_SIZES`. */
export function imageSizes({ positions, height, width, channels, stride }: Images): number[] {
  return [positions, height, width, channels, stride];
}
