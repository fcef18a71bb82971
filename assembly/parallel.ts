import { placeNumbers } from './exponential';
import { runTask } from './tasks';
import { placeFactors } from './winogradTransforms';

/*
 * A parallel region: a task cut into chunks that the threads take one by one.
 *
 * The state word holds region number (high half) and chunks left (low half), so that a thread which wakes late can
 * never take a chunk of a region that is over. Which thread computes a chunk never changes a result: chunks write
 * apart from each other, and the cuts depend on the problem alone.
 *
 * Control block, bytes: 0 state, 64 chunks not finished, 128 sleeping threads, 132 joined
 * threads, 192 number of the task, 256 arguments of the running task, 768 factors of transforms, 832 numbers of exponentials.
 */
// @ts-ignore: decorator
@inline
const PENDING: usize = 64;
// @ts-ignore: decorator
@inline
const SLEEPERS: usize = 128;
// @ts-ignore: decorator
@inline
const JOINED: usize = 132;
// @ts-ignore: decorator
@inline
const TASK: usize = 192;
// @ts-ignore: decorator
@inline
const ARGUMENTS: usize = 256;
// @ts-ignore: decorator
@inline
const FACTORS: usize = 768;
// @ts-ignore: decorator
@inline
const NUMBERS: usize = 832;
/** Empty polls before a thread goes to sleep: about a millisecond, since it takes 50 microseconds to wake up. */
// @ts-ignore: decorator
@inline
const PATIENCE: i32 = 100000;

let control: usize = 0;
let workers: i32 = 0;
let threadNumber: i32 = 0;

/** Number of the calling thread: 0 is the one that starts the regions. */
// @ts-ignore: decorator
@inline
export function thread(): i32 {
  return threadNumber;
}

/** Where the arguments of the running task lie. */
// @ts-ignore: decorator
@inline
export function taskArguments(): usize {
  return control + ARGUMENTS;
}

/** Binds this instance to its control block; every thread does this once. */
export function attach(block: usize, otherThreads: i32, number: i32): void {
  control = block;
  workers = otherThreads;
  threadNumber = number;
  placeFactors(block + FACTORS);
  placeNumbers(block + NUMBERS);
}

/** Runs chunks 0 .. count - 1 of a task on all threads and returns when all are done. */
export function parallel(task: i32, count: i32): void {
  if (workers == 0 || count < 2) {
    for (let chunk = count - 1; chunk >= 0; chunk--) runTask(task, chunk);
    return;
  }
  const region = (atomic.load<u64>(control) >> 32) + 1;
  store<i32>(control, task, TASK);
  atomic.store<i32>(control, count, PENDING);
  atomic.store<u64>(control, (region << 32) | <u64>count);
  if (atomic.load<i32>(control, SLEEPERS) > 0) atomic.notify(control + 4, workers);
  while (takeChunk()) {}
  let polls = 0;
  while (true) {
    const left = atomic.load<i32>(control, PENDING);
    if (left <= 0) break;
    // A thread that holds a chunk may be off its core: leave it ours for a moment.
    if (++polls > PATIENCE) atomic.wait<i32>(control + PENDING, left, 50000);
  }
}

function takeChunk(): bool {
  const state = atomic.load<u64>(control);
  const left = <u32>state;
  if (left == 0) return false;
  if (atomic.cmpxchg<u64>(control, state, state - 1) != state) return true;
  runTask(load<i32>(control, TASK), <i32>left - 1);
  atomic.sub<i32>(control, 1, PENDING);
  return true;
}

/** What a worker thread does for ever: takes chunks, polls for a while, sleeps until the next region. */
export function join(): void {
  atomic.add<i32>(control, 1, JOINED);
  let polls = 0;
  while (true) {
    const region = atomic.load<i32>(control, 4);
    if (takeChunk()) {
      polls = 0;
    } else if (++polls > PATIENCE) {
      atomic.add<i32>(control, 1, SLEEPERS);
      atomic.wait<i32>(control + 4, region, -1);
      atomic.sub<i32>(control, 1, SLEEPERS);
      polls = 0;
    }
  }
}

/** Number of worker threads that have joined. */
export function joined(): i32 {
  return atomic.load<i32>(control, JOINED);
}
