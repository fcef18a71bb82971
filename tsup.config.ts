import type { Plugin } from 'esbuild';
import { defineConfig } from 'tsup';

/** In a page the union bundle tf.min.js is a global: every tfjs package resolves to it. */
const tensorflowGlobal: Plugin = {
  name: 'tensorflow-global',
  setup(build) {
    build.onResolve({ filter: /^@tensorflow\/tfjs-(core|layers)$/ }, (args) => ({
      path: args.path,
      namespace: 'tensorflow-global',
    }));
    build.onLoad({ filter: /.*/, namespace: 'tensorflow-global' }, () => ({
      contents: 'module.exports = globalThis.tf;',
      loader: 'js',
    }));
  },
};

const entry = {
  index: 'src/index.ts',
  attributes: 'src/attributes/index.ts',
  node: 'src/node/index.ts',
  wasm: 'src/wasm/index.ts',
  webgpu: 'src/webgpu/index.ts',
  testing: 'src/testing/index.ts',
  notebook: 'src/notebook/index.ts',
  cli: 'src/cli/main.ts',
};

export default defineConfig([
  {
    // The worker's file lies beside the others; nobody imports it.
    entry: { ...entry, decodeWorker: 'src/node/decoding/decodeWorker.ts' },
    format: ['esm', 'cjs'],
    target: 'es2022',
    dts: { entry, compilerOptions: { ignoreDeprecations: '6.0' } },
    sourcemap: true,
    clean: true,
    splitting: true,
    treeshake: true,
    // In place of tsup's own, which loses what stands behind a # in a path.
    esbuildOptions(options, { format }) {
      if (format !== 'cjs') return;
      options.define = { ...options.define, 'import.meta.url': 'importMetaUrl' };
      options.inject = [...(options.inject ?? []), 'scripts/importMetaUrl.js'];
    },
    // ES modules only: bundled, so that the CommonJS build runs on every Node 20.
    noExternal: ['fast-png', 'iobuffer'],
  },
  {
    entry: { index: 'src/index.ts' },
    format: ['iife'],
    globalName: 'tfjsFlows',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    sourcemap: true,
    noExternal: [/.*/],
    esbuildPlugins: [tensorflowGlobal],
  },
]);
