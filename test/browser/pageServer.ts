import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page's address, and what stops serving it. */
export interface ServedPage {
  url: string;
  close(): Promise<void>;
}

/** How a page is served. */
export interface PageOptions {
  /** Whether it is cross-origin isolated, as shared memory needs. Default false. */
  isolated?: boolean;
}

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * Bundles a TypeScript file of test/browser/pages for the browser and serves a page that runs it. Files of the wasm backend lie under /wasm/.
 *
 * The page comes from a server on localhost because WebGPU needs a secure context.
 */
export async function servePage(entry: string, { isolated = false }: PageOptions = {}): Promise<ServedPage> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`pages/${entry}`, import.meta.url))],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    // The unbundled tfjs modules name Node's ones behind checks that a page never passes.
    external: ['fs', 'util', 'crypto', 'node-fetch', 'string_decoder'],
    tsconfig: `${root}/tsconfig.json`,
  });
  const script = outputFiles[0].contents;
  const server = createServer(async (request, response) => {
    if (isolated) response.setHeaders(new Map(Object.entries(isolation)));
    const wasm = /^\/wasm\/([\w-]+\.wasm)$/.exec(request.url ?? '');
    if (wasm !== null) {
      const file = `${root}/node_modules/@tensorflow/tfjs-backend-wasm/dist/${wasm[1]}`;
      response.setHeader('content-type', 'application/wasm').end(await readFile(file));
      return;
    }
    if (request.url === '/script.js') {
      response.setHeader('content-type', 'text/javascript; charset=utf-8').end(script);
    } else {
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end('<!doctype html><title>tests</title><script src="/script.js"></script>');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
