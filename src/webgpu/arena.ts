import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type DataId, type OpenBackend, type Range, tensorUsage } from './backend';

/** Where a range of a buffer may begin, on any device. */
const ALIGNMENT = 256;

/** Writes tensors into a buffer side by side, zeros between them. */
export type Move = (tensors: readonly TensorInfo[], page: GPUBuffer) => void;

/** A buffer in which tensors lie side by side. */
interface Page {
  buffer: GPUBuffer;
  /** Tensors that are there. */
  held: Set<DataId>;
}

/** Where a tensor lies; the size is that of its values. */
interface Place extends Range {
  page: Page;
}

/**
 * Tensors that lie side by side in one buffer, so that one dispatch takes all of them: a device binds few buffers, a model has hundreds
 * of weights. A tensor that moves here stays the tensor that it is; its own buffer goes back to the backend.
 */
export class Arena {
  private readonly places = new WeakMap<DataId, Place>();

  constructor(private readonly backend: OpenBackend) {}

  /** Where a tensor lies that has moved here. */
  rangeOf(dataId: DataId): Range | undefined {
    return this.places.get(dataId);
  }

  /**
   * Several lists of tensors as stretches in which each of the lists lies side by side: one stretch where all fit one buffer and no
   * tensor is twice in its list. What is not here moves in with all of its list. Between two tensors lie zeros, up to the next multiple
   * of 256 bytes.
   *
   * @param lists of equal lengths and sizes; no tensor is empty
   * @param move writes tensors into a buffer, in these places
   */
  stretches(lists: readonly (readonly TensorInfo[])[], move: Move): Range[][] {
    const placed = lists.map((list) => this.placesOf(list, move));
    const stretches: Range[][] = [];
    lists[0].forEach((_, i) => {
      const goesOn = i > 0 && placed.every((places) => follows(places[i], places[i - 1]));
      if (!goesOn) {
        stretches.push(
          placed.map((places) => ({
            buffer: places[i].page.buffer,
            offset: places[i].offset,
            size: 0,
          })),
        );
      }
      stretches[stretches.length - 1].forEach((range, k) => {
        range.size += padded(placed[k][i].size);
      });
    });
    return stretches;
  }

  /** Forgets a tensor; whether it was here. Its buffer goes back with the last one that is there. */
  release(dataId: DataId): boolean {
    const place = this.places.get(dataId);
    if (place === undefined) return false;
    const { held, buffer } = place.page;
    this.places.delete(dataId);
    held.delete(dataId);
    if (held.size === 0) this.backend.bufferManager.releaseBuffer(buffer);
    return true;
  }

  /** Gives a tensor a buffer of its own again. */
  moveOut(dataId: DataId): void {
    const place = this.places.get(dataId);
    if (place === undefined) return;
    const { backend } = this;
    const buffer = this.acquire(place.size);
    this.encoder().copyBufferToBuffer(place.page.buffer, place.offset, buffer, 0, place.size);
    this.release(dataId);
    const data = backend.tensorMap.get(dataId);
    data.resource = buffer;
    data.external = false;
  }

  private placesOf(tensors: readonly TensorInfo[], move: Move): Place[] {
    if (tensors.some(({ dataId }) => !this.places.has(dataId))) this.layOut(tensors, move);
    return tensors.map(({ dataId }) => this.places.get(dataId) as Place);
  }

  /** All of these in new buffers, as few as can be bound whole. */
  private layOut(tensors: readonly TensorInfo[], move: Move): void {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.backend.device.limits;
    const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    let [page, bytes]: [TensorInfo[], number] = [[], 0];
    for (const tensor of new Map(tensors.map((tensor) => [tensor.dataId, tensor])).values()) {
      const size = padded(bytesOf(tensor));
      if (bytes + size > most) {
        this.fillPage(page, bytes, move);
        [page, bytes] = [[], 0];
      }
      page.push(tensor);
      bytes += size;
    }
    this.fillPage(page, bytes, move);
  }

  private fillPage(tensors: readonly TensorInfo[], bytes: number, move: Move): void {
    if (tensors.length === 0) return;
    const { backend } = this;
    const page: Page = { buffer: this.acquire(bytes), held: new Set() };
    move(tensors, page.buffer);
    let offset = 0;
    for (const tensor of tensors) {
      const { dataId } = tensor;
      const size = bytesOf(tensor);
      const data = backend.tensorMap.get(dataId);
      const own = data.resource as GPUBuffer;
      if (!this.release(dataId) && data.external !== true) backend.bufferManager.releaseBuffer(own);
      // The backend keeps what was read on the host, too, which would not see what kernels change in place.
      Object.assign(data, { resource: page.buffer, external: true, values: null });
      page.held.add(dataId);
      this.places.set(dataId, { page, buffer: page.buffer, offset, size });
      offset += padded(size);
    }
  }

  private acquire(bytes: number): GPUBuffer {
    return this.backend.bufferManager.acquireBuffer(bytes, tensorUsage());
  }

  /** The encoder, between passes: for copies. */
  private encoder(): GPUCommandEncoder {
    this.backend.ensureCommandEncoderReady();
    this.backend.endComputePassEncoder();
    return this.backend.commandEncoder as GPUCommandEncoder;
  }
}

function follows(place: Place, before: Place): boolean {
  return place.page === before.page && place.offset === before.offset + padded(before.size);
}

function bytesOf({ shape }: TensorInfo): number {
  return 4 * util.sizeFromShape(shape);
}

/** Bytes from where a tensor begins to where the next one does. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** So many lists of tensors that stand in a row, each as long; without those that are empty, which lie nowhere. */
export function listsInRow(tensors: readonly TensorInfo[], count: number, length: number): TensorInfo[][] {
  return Array.from({ length: count }, (_, k) =>
    tensors.slice(k * length, (k + 1) * length).filter(({ shape }) => util.sizeFromShape(shape) > 0),
  );
}
