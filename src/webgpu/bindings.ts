import type { Range } from './backend';
import type { Compiled } from './compile';
import { packedSizes } from './program';
import { Trie } from './trie';

/** So many groups of bindings are held: those of some hundred steps that find their buffers in different places. */
const MOST_GROUPS = 16384;
/** So many uniforms are held. */
const MOST_UNIFORMS = 4096;

/** What programs bind: groups and uniforms, made once for all steps that find their buffers in the same places. */
export class Bindings {
  /** Programs that have any. */
  private readonly bound = new Set<Compiled>();
  private groupsMade = 0;
  private uniformsMade = 0;
  /** Numbers of places: parts of buffers, by where they begin and how long they are. */
  private readonly places = new WeakMap<GPUBuffer, Trie<number>>();
  private placesSeen = 0;

  constructor(private readonly device: GPUDevice) {}

  /** The group of these places, in the order of the program's buffers and uniform. */
  groupOf(compiled: Compiled, ranges: readonly Range[]): GPUBindGroup {
    let end = compiled.groups;
    for (const range of ranges) end = end.at(this.placeOf(range));
    if (end.value === undefined) {
      this.makeRoom();
      const entries = ranges.map(({ buffer, offset, size }, binding) => {
        return { binding, resource: { buffer, offset, size } };
      });
      end.value = this.device.createBindGroup({ layout: compiled.layout, entries });
      this.groupsMade++;
      this.bound.add(compiled);
    }
    return end.value;
  }

  /** The uniform of these values; there are few different ones. */
  uniform({ uniforms }: Compiled, fields: readonly string[], values: readonly number[]): Range {
    let end = uniforms;
    for (const value of values) end = end.at(value);
    if (end.value === undefined) {
      const words = packedSizes(fields, values);
      const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
      const buffer = this.device.createBuffer({ size: words.byteLength, usage });
      this.device.queue.writeBuffer(buffer, 0, words);
      end.value = { buffer, offset: 0, size: words.byteLength };
      this.uniformsMade++;
    }
    return end.value;
  }

  private placeOf(range: Range): number {
    if (range.place !== undefined) return range.place;
    const { buffer, offset, size } = range;
    let places = this.places.get(buffer);
    if (places === undefined) {
      places = new Trie();
      this.places.set(buffer, places);
    }
    const place = places.at(offset).at(size);
    place.value ??= this.placesSeen++;
    range.place = place.value;
    return place.value;
  }

  /** Groups and uniforms begin anew where they have become many. */
  private makeRoom(): void {
    if (this.groupsMade < MOST_GROUPS && this.uniformsMade < MOST_UNIFORMS) return;
    this.groupsMade = this.uniformsMade = 0;
    for (const compiled of this.bound) {
      compiled.groups = new Trie();
      compiled.uniforms = new Trie();
    }
    this.bound.clear();
  }
}
