import { correlateTile, packCorrelation } from './correlation';
import { packRight, productBlock } from './product';

/* What a chunk of a parallel region can be. */
export const PACK_RIGHT: i32 = 0;
export const PRODUCT: i32 = 1;
export const PACK_CORRELATION: i32 = 2;
export const CORRELATE: i32 = 3;

export function runTask(task: i32, chunk: i32): void {
  switch (task) {
    case PACK_RIGHT: packRight(chunk); break;
    case PRODUCT: productBlock(chunk); break;
    case PACK_CORRELATION: packCorrelation(chunk); break;
    case CORRELATE: correlateTile(chunk); break;
  }
}
