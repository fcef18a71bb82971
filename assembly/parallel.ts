import { ARGUMENT_BYTES } from '../src/core/kernelConstants';

/*
 * A parallel region: a task cut into chunks that the threads take one by one.
 *
 * A task is a class whose method `run` computes the chunk of a number. It has no fields and is never made: its number tells the other
 * threads which one runs, and they look it up in the table of tasks that `serve` is given.
 *
 * The state word holds region number (high half) and chunks left (low half), so that a thread which wakes late can
 * never take a chunk of a region that is over. Which thread computes a chunk never changes a result: chunks write
 * apart from each other, and the cuts depend on the problem alone.
 *
 * Control block, bytes: 0 state, 64 chunks not finished, 128 sleeping threads, 132 joined
 * threads, 192 number of the task, 256 arguments of the running task.
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
/** Bytes of the control block. */
export const CONTROL_BYTES: usize = ARGUMENTS + ARGUMENT_BYTES;
/** Empty polls before a thread goes to sleep: about a millisecond, since it takes 50 microseconds to wake up. */
// @ts-ignore: decorator
@inline
const PATIENCE: i32 = 100000;

let control: usize = 0;
let workers: i32 = 0;
let threadNumber: i32 = 0;
/** Whether no other thread has a part in the region that is open. */
let alone: bool = true;

/** Number of the calling thread: 0 is the one that starts the regions. */
// @ts-ignore: decorator
@inline
export function thread(): i32 {
  return threadNumber;
}

/** Where the arguments of the running task lie. */
// @ts-ignore: decorator
@inline
export function argumentsAt(): usize {
  return control + ARGUMENTS;
}

/** The arguments of the running task. */
// @ts-ignore: decorator
@inline
export function taskArguments<Arguments>(): Arguments {
  return changetype<Arguments>(argumentsAt());
}

/** Binds this instance to its control block. */
export function bind(block: usize, otherThreads: i32, number: i32): void {
  control = block;
  workers = otherThreads;
  threadNumber = number;
}

/** Computes one chunk of a task. */
// @ts-ignore: decorator
@inline
export function run<Task>(chunk: i32): void {
  changetype<Task>(0).run(chunk);
}

/** Runs chunks 0 .. count - 1 of a task on all threads and returns when all are done. */
export function parallel<Task>(count: i32): void {
  let chunk = nextChunk(idof<Task>(), count, true);
  while (chunk >= 0) {
    run<Task>(chunk);
    chunk = nextChunk(idof<Task>(), chunk, false);
  }
}

/**
 * The number of a chunk that is now the calling thread's, or -1 when all threads are done.
 *
 * @param last the chunk that was computed; at the opening of a region the number of chunks
 */
function nextChunk(task: u32, last: i32, opening: bool): i32 {
  if (opening) open(task, last);
  else if (!alone) chunkDone();
  if (alone) return last - 1;
  const chunk = takeChunk();
  if (chunk >= 0) return chunk;
  let polls = 0;
  while (true) {
    const left = atomic.load<i32>(control, PENDING);
    if (left <= 0) return -1;
    // A thread that holds a chunk may be off its core: leave it ours for a moment.
    if (++polls > PATIENCE) atomic.wait<i32>(control + PENDING, left, 50000);
  }
}

function open(task: u32, count: i32): void {
  alone = workers == 0 || count < 2;
  if (alone) return;
  const region = (atomic.load<u64>(control) >> 32) + 1;
  store<u32>(control, task, TASK);
  atomic.store<i32>(control, count, PENDING);
  atomic.store<u64>(control, (region << 32) | <u64>count);
  if (atomic.load<i32>(control, SLEEPERS) > 0) atomic.notify(control + 4, workers);
}

/** The number of a chunk that is now the calling thread's, or -1 where none is left. */
function takeChunk(): i32 {
  while (true) {
    const state = atomic.load<u64>(control);
    const left = <i32>state;
    if (left == 0) return -1;
    if (atomic.cmpxchg<u64>(control, state, state - 1) == state) return left - 1;
  }
}

function chunkDone(): void {
  atomic.sub<i32>(control, 1, PENDING);
}

/** What a worker thread does for ever: takes chunks, polls for a while, sleeps until the next region. */
export function serve<Tasks>(): void {
  atomic.add<i32>(control, 1, JOINED);
  let polls = 0;
  while (true) {
    const region = atomic.load<i32>(control, 4);
    const chunk = takeChunk();
    if (chunk >= 0) {
      changetype<Tasks>(0).run(load<u32>(control, TASK), chunk);
      chunkDone();
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
