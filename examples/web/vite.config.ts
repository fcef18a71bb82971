import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Pages with these headers may share memory, which wasm needs for more than one thread. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Serves the wasm backend's binaries under wasm/, by the names that the backend looks for. */
function wasmBinaries(): Plugin {
  const folder = dirname(
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'),
  );
  const read = (name: string) => readFileSync(join(folder, 'dist', name));
  const names = ['', '-simd', '-threaded-simd'].map((kind) => `tfjs-backend-wasm${kind}.wasm`);
  return {
    name: 'wasm-binaries',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = names.find((candidate) => request.url?.endsWith(`/wasm/${candidate}`));
        if (name === undefined) next();
        else response.setHeader('content-type', 'application/wasm').end(read(name));
      });
    },
    generateBundle() {
      for (const name of names) {
        this.emitFile({ type: 'asset', fileName: `wasm/${name}`, source: read(name) });
      }
    },
  };
}

export default defineConfig({
  root: here('.'),
  // Static files work from any path.
  base: './',
  resolve: {
    alias: [
      { find: /^tfjs-flows$/, replacement: here('../../src/index.ts') },
      { find: /^tfjs-flows\/(.+)$/, replacement: `${here('../../src')}/$1/index.ts` },
    ],
  },
  plugins: [wasmBinaries()],
  worker: { format: 'es' },
  build: { target: 'es2022', outDir: 'dist', emptyOutDir: true, chunkSizeWarningLimit: 3000 },
  server: { headers: isolation },
  preview: { headers: isolation },
});
