import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
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

/** What a page of modules is made of. */
export interface ModulePage {
  /** HTML before the modules. */
  body?: string;
  /** TypeScript by the address of the module that it becomes; the page runs `/page.js`, others are for its workers. */
  modules: Readonly<Record<string, string>>;
  /** Files by address, from the root of the repository. */
  files?: Readonly<Record<string, string>>;
}

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Folders of the repository by their addresses. */
const folders: Readonly<Record<string, string>> = {
  wasm: 'node_modules/@tensorflow/tfjs-backend-wasm/dist',
  fixtures: 'test/fixtures',
};

const types: Readonly<Record<string, string>> = {
  '.wasm': 'application/wasm',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
};

/**
 * Bundles a TypeScript file of test/browser/pages for the browser and serves a page that runs it. Files of the wasm backend lie under /wasm/, those of test/fixtures under /fixtures/.
 *
 * The page comes from a server on localhost because WebGPU needs a secure context.
 */
export async function servePage(entry: string, options: PageOptions = {}): Promise<ServedPage> {
  const script = await bundled(
    { entryPoints: [fileURLToPath(new URL(`pages/${entry}`, import.meta.url))] },
    'iife',
  );
  const html = '<!doctype html><title>tests</title><script src="/script.js"></script>';
  return serve(html, new Map([['/script.js', script]]), options);
}

/** Bundles programs as they stand in guides, as modules, and serves a page that runs the first of them. */
export async function serveModules({ body = '', modules, files = {} }: ModulePage): Promise<ServedPage> {
  const served = new Map<string, Uint8Array>();
  for (const [address, contents] of Object.entries(modules)) {
    served.set(address, await bundled({ stdin: { contents, resolveDir: root, loader: 'ts' } }, 'esm'));
  }
  for (const [address, path] of Object.entries(files)) served.set(address, await readFile(`${root}/${path}`));
  return serve(
    `<!doctype html><title>guide</title>${body}<script type="module" src="/page.js"></script>`,
    served,
    {},
  );
}

async function bundled(
  input: { entryPoints: string[] } | { stdin: { contents: string; resolveDir: string; loader: 'ts' } },
  format: 'iife' | 'esm',
): Promise<Uint8Array> {
  const { outputFiles } = await build({
    ...input,
    absWorkingDir: root,
    bundle: true,
    write: false,
    format,
    platform: 'browser',
    target: 'es2022',
    // The unbundled tfjs modules name Node's ones behind checks that a page never passes.
    external: ['fs', 'util', 'crypto', 'node-fetch', 'string_decoder'],
    tsconfig: `${root}/tsconfig.json`,
  });
  return outputFiles[0].contents;
}

async function serve(
  html: string,
  served: ReadonlyMap<string, Uint8Array>,
  { isolated = false }: PageOptions,
): Promise<ServedPage> {
  const server = createServer(async (request, response) => {
    if (isolated) response.setHeaders(new Map(Object.entries(isolation)));
    const address = request.url ?? '/';
    const [, folder, path] = /^\/(\w+)\/([\w/-]+\.\w+)$/.exec(address) ?? [];
    const content =
      folder in folders ? await readFile(`${root}/${folders[folder]}/${path}`) : served.get(address);
    const type = types[extname(address)] ?? 'application/octet-stream';
    if (content !== undefined) response.setHeader('content-type', type).end(content);
    else response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
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
