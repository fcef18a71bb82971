import { appendFile, readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../node/atomicFile';

/** A log of numbers, one JSON object per line, each with its `step`. */
export class MetricsLog {
  private opened = false;

  constructor(private readonly path: string) {}

  /** Adds a line. The first one drops what an interrupted run wrote after the checkpoint that training resumed from. */
  async write(entry: { step: number } & Record<string, number>): Promise<void> {
    if (!this.opened) await this.dropFrom(entry.step);
    this.opened = true;
    await appendFile(this.path, `${JSON.stringify(entry)}\n`);
  }

  private async dropFrom(step: number): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const kept = text.split('\n').filter((line) => stepOf(line) < step);
    // What was logged in days must outlive a crash or a full disk in this moment.
    await writeFileAtomically(this.path, kept.map((line) => `${line}\n`).join(''));
  }
}

/** A line that a crash cut short has no step. */
function stepOf(line: string): number {
  try {
    return JSON.parse(line).step;
  } catch {
    return Number.NaN;
  }
}
