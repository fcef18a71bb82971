import { GpuFailedError, type GpuFailure } from '../core/errors';

const AGAIN = 'Call prepareWebGpu() again for a new device, and go on from a checkpoint (fit with `resume`).';

/** What to do about a failure. */
const HINTS: Readonly<Record<GpuFailure, string>> = {
  lost: `Drivers do this after sleep, updates and programs that run for seconds. ${AGAIN}`,
  memory: `Take a smaller batchSize, or gradients: 'reversible'. ${AGAIN}`,
  program: `This is a fault of ours or of the driver: please report it with this text. ${AGAIN}`,
  released: 'Call prepareWebGpu() again; what the GPU held is gone.',
};

/**
 * Remembers how a device failed. Devices say so on the side, while what was asked of them seems to work and leaves zeros or old
 * values: whoever runs a program or reads a value asks here first.
 */
export class DeviceWatch {
  private static readonly ofDevices = new WeakMap<GPUDevice, DeviceWatch>();
  private first?: { failure: GpuFailure; message: string };

  private constructor(device: GPUDevice) {
    void device.lost.then(({ message }) => this.fail('lost', message));
    device.addEventListener('uncapturederror', (event) => {
      // In Node the classes of errors are gone with the device.
      if (this.first !== undefined) return;
      const { error } = event as GPUUncapturedErrorEvent;
      this.fail(error instanceof GPUOutOfMemoryError ? 'memory' : 'program', error.message);
    });
  }

  static of(device: GPUDevice): DeviceWatch {
    let watch = DeviceWatch.ofDevices.get(device);
    if (watch === undefined) {
      watch = new DeviceWatch(device);
      DeviceWatch.ofDevices.set(device, watch);
    }
    return watch;
  }

  /** The first failure; undefined while all is well. */
  get failure(): GpuFailure | undefined {
    return this.first?.failure;
  }

  /** Takes note of a failure, unless there was one: what follows is its consequence. */
  fail(failure: GpuFailure, message: string): void {
    this.first ??= { failure, message };
  }

  /** Takes note that the device is given back, whatever happened to it. */
  release(): void {
    this.first = { failure: 'released', message: '' };
  }

  /** What `read` reads, unless the device failed by the time that it is there: it may be zeros then. @throws GpuFailedError */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    this.check();
    try {
      return await read();
    } catch (error) {
      this.fail('program', `a read failed: ${(error as Error).message}`);
      throw error;
    } finally {
      this.check();
    }
  }

  /** @throws GpuFailedError after a failure */
  check(): void {
    if (this.first === undefined) return;
    const { failure, message } = this.first;
    const said = message.trim().replace(/\.$/, '');
    throw new GpuFailedError(
      `webgpu: ${what[failure]}${said === '' ? '' : ` (${said})`}. ${HINTS[failure]}`,
      failure,
    );
  }
}

const what: Readonly<Record<GpuFailure, string>> = {
  lost: 'the device was lost',
  memory: 'the GPU has no memory left',
  program: 'the GPU refused a program',
  released: 'the GPU was released',
};
