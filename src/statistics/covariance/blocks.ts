import { ConfigError, complaint } from '../../core/errors';
import type { RandomStream } from '../../core/random';
import { recognizable } from '../../core/recognizable';
import { Matrix } from '../../linalg';
import { Covariance, type SerializedCovariance } from './covariance';

/**
 * A covariance of independent blocks of neighbouring coordinates: one per level of a multi-scale flow.
 *
 * @example
 * const block = new DiagonalCovariance(Float64Array.of(4));
 * new BlockCovariance([block, block]).diagonal(); // [4, 4]
 */
export class BlockCovariance extends Covariance {
  readonly kind = 'blocks';
  readonly logDet: number;
  /** First coordinate of every block. */
  private readonly offsets: number[];

  constructor(readonly blocks: readonly Covariance[]) {
    super(blocks.reduce((sum, block) => sum + block.dimension, 0));
    let offset = 0;
    this.offsets = blocks.map((block) => {
      const first = offset;
      offset += block.dimension;
      return first;
    });
    this.logDet = blocks.reduce((sum, block) => sum + block.logDet, 0);
  }

  diagonal(): Float64Array {
    return this.join((block) => block.diagonal());
  }

  multiply(v: ArrayLike<number>): Float64Array {
    return this.join((block, part) => block.multiply(part), this.vector('multiply', v));
  }

  solve(v: ArrayLike<number>): Float64Array {
    return this.join((block, part) => block.solve(part), this.vector('solve', v));
  }

  scaled(factor: number): BlockCovariance {
    return new BlockCovariance(this.blocks.map((block) => block.scaled(factor)));
  }

  stretched(factors: Float64Array): BlockCovariance {
    return new BlockCovariance(
      this.blocks.map((block, i) =>
        block.stretched(factors.subarray(this.offsets[i], this.offsets[i] + block.dimension)),
      ),
    );
  }

  plusScatter(rows: Matrix): BlockCovariance {
    return new BlockCovariance(
      this.blocks.map((block, i) => block.plusScatter(sliceColumns(rows, this.offsets[i], block.dimension))),
    );
  }

  plus(other: Covariance): BlockCovariance {
    this.checkPartner(other);
    const partners = (other as BlockCovariance).blocks;
    return new BlockCovariance(this.blocks.map((block, i) => block.plus(partners[i])));
  }

  draw(random: RandomStream): Float64Array {
    return this.join((block) => block.draw(random));
  }

  block(offset: number, size: number): Covariance {
    const i = this.offsets.findIndex(
      (first, k) => offset >= first && offset + size <= first + this.blocks[k].dimension,
    );
    if (i < 0) {
      throw new ConfigError(
        complaint(
          'BlockCovariance.block',
          'coordinates within one block',
          `${offset} .. ${offset + size - 1}`,
        ),
      );
    }
    return this.blocks[i].block(offset - this.offsets[i], size);
  }

  toMatrix(): Matrix {
    const result = Matrix.zeros(this.dimension, this.dimension);
    this.blocks.forEach((block, i) => {
      const matrix = block.toMatrix();
      for (let k = 0; k < block.dimension; k++) {
        result.row(this.offsets[i] + k).set(matrix.row(k), this.offsets[i]);
      }
    });
    return result;
  }

  toJSON(): SerializedCovariance {
    return { kind: this.kind, blocks: this.blocks.map((block) => block.toJSON()) };
  }

  private join(
    part: (block: Covariance, values: Float64Array) => Float64Array,
    values: Float64Array = new Float64Array(0),
  ): Float64Array {
    const result = new Float64Array(this.dimension);
    this.blocks.forEach((block, i) => {
      const first = this.offsets[i];
      result.set(part(block, values.subarray(first, first + block.dimension)), first);
    });
    return result;
  }
}

recognizable(BlockCovariance, 'BlockCovariance');

/** Columns [offset, offset + size) of a matrix, copied. */
export function sliceColumns(matrix: Matrix, offset: number, size: number): Matrix {
  if (offset === 0 && size === matrix.cols) return matrix;
  const result = Matrix.zeros(matrix.rows, size);
  for (let i = 0; i < matrix.rows; i++) {
    result.row(i).set(matrix.row(i).subarray(offset, offset + size));
  }
  return result;
}
