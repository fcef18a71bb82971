import { NoGpuError } from '../core/errors';
import { nodeModule } from '../core/nodeModule';

/** The oldest version of the package `webgpu` that runs on the systems that Node itself runs on. */
const LEAST_VERSION = [0, 6, 2];

/** Not a constant of an import: bundlers for pages must not look for it. */
const PACKAGE: string = 'webgpu';

const GUIDE = "See the guide 'Drivers for the GPU'.";

/** WebGPU in Node. */
export interface NodeGpu {
  gpu: GPU;
  /** Puts the globals back as they were. */
  release(): void;
}

/** Held on to for good: Dawn crashes where it is collected before its last callback has run. It does not keep a process from ending. */
let held: GPU | undefined;

/** WebGPU from the package `webgpu`, with the globals that the backend asks for. @throws NoGpuError */
export async function openNodeGpu(): Promise<NodeGpu> {
  checkVersion();
  const { create, globals } = await importPackage();
  held ??= create([]);
  const gpu = held;
  const put = Object.entries(globals).filter(([name]) => !(name in globalThis));
  Object.assign(globalThis, Object.fromEntries(put));
  const { navigator } = globalThis;
  if (navigator === undefined) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  return {
    gpu,
    release() {
      Reflect.deleteProperty(globalThis.navigator, 'gpu');
      if (navigator === undefined) Reflect.deleteProperty(globalThis, 'navigator');
      for (const [name] of put) Reflect.deleteProperty(globalThis, name);
    },
  };
}

function checkVersion(): void {
  const { createRequire } = nodeModule<typeof import('node:module')>('node:module')!;
  let version: string;
  try {
    ({ version } = createRequire(import.meta.url)(`${PACKAGE}/package.json`));
  } catch (error) {
    throw missingPackage(error);
  }
  const parts = version.split('.').map(Number);
  const differing = parts.findIndex((part, i) => part !== LEAST_VERSION[i]);
  if (differing < 0 || parts[differing] > LEAST_VERSION[differing]) return;
  throw new NoGpuError(
    `prepareWebGpu: expected the package webgpu of version ${LEAST_VERSION.join('.')} or newer, got ${version}. npm install webgpu@latest`,
    'package',
  );
}

async function importPackage(): Promise<typeof import('webgpu')> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE);
  } catch (error) {
    throw unusablePackage(error as NodeJS.ErrnoException);
  }
}

/** Why a package cannot be imported, where it is because nobody installed it; any other error as it is. */
export function missingPackage(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(code)) return error;
  return new NoGpuError(
    'prepareWebGpu: the packages for WebGPU are not installed. npm install webgpu @tensorflow/tfjs-backend-webgpu',
    'package',
  );
}

function unusablePackage(error: NodeJS.ErrnoException): NoGpuError {
  const { platform, arch } = process;
  const said = `(${error.message.split('\n')[0]})`;
  if (error.code === 'MODULE_NOT_FOUND') {
    return new NoGpuError(
      `prepareWebGpu: the package webgpu has nothing for ${platform} on ${arch}. It has macOS, and Linux and Windows on x64 and arm64. ${said}`,
      'package',
    );
  }
  if (platform === 'linux' && usesMusl()) {
    return new NoGpuError(
      `prepareWebGpu: the package webgpu needs glibc, and this Linux (Alpine?) has musl. Take an image on Debian or Ubuntu. ${said}`,
      'package',
    );
  }
  if (/GLIBC(XX)?_/.test(error.message)) {
    return new NoGpuError(
      `prepareWebGpu: the package webgpu needs glibc 2.34 and libstdc++ of GCC 12, and this Linux has older ones. Debian 12 and Ubuntu 22.04 have them. ${said} ${GUIDE}`,
      'package',
    );
  }
  return new NoGpuError(`prepareWebGpu: the package webgpu does not load. ${said} ${GUIDE}`, 'package');
}

function usesMusl(): boolean {
  const { header } = process.report.getReport() as unknown as { header: Record<string, unknown> };
  return header.glibcVersionRuntime === undefined;
}

/** Why Node found no adapter, and what to install. */
export function whyNoAdapter(): NoGpuError {
  if (process.platform !== 'linux') {
    const hint = "Install the current driver of the GPU's maker.";
    return new NoGpuError(`prepareWebGpu: no GPU was found. ${hint} ${GUIDE}`, 'adapter');
  }
  if (!hasLibrary('libvulkan.so.1')) {
    const install = 'apt install libvulkan1 (Debian, Ubuntu), or dnf install vulkan-loader (Fedora)';
    return new NoGpuError(`prepareWebGpu: the loader of Vulkan is missing. ${install}. ${GUIDE}`, 'driver');
  }
  const drivers =
    "NVIDIA's own with its Vulkan part (in containers NVIDIA_DRIVER_CAPABILITIES=graphics,compute,utility), or mesa-vulkan-drivers for AMD and Intel";
  return new NoGpuError(
    `prepareWebGpu: Vulkan finds no GPU. Install its driver: ${drivers}. ${GUIDE}`,
    'driver',
  );
}

/** Whether the system finds a library, which Node would not otherwise say: it is no addon, and Node says that only after it was found. */
function hasLibrary(name: string): boolean {
  try {
    process.dlopen({ exports: {} }, name);
  } catch (error) {
    return (error as Error).message.includes('did not self-register');
  }
  return true;
}
