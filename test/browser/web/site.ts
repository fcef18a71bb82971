import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { buildSmallModel } from './smallModel';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of the web example, served from a path that the build does not know. */
    site: string;
    /** The same with a small model in place of the shipped garments, for GPUs of software. */
    smallSite: string;
  }
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Serves examples/web to all test files, with the headers that let a page share memory. It is built, once, when it is first asked for. */
export default async function serveSite(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-web-'));
  const [built, small] = [join(folder, 'built'), join(folder, 'small')];
  const whenBuilt = once(() => buildSite(built));
  const whenSmall = once(() => buildSmallModel(small));

  async function find(path: string): Promise<string> {
    const [, site, file] = /^\/some\/(path|small)\/(.*)$/.exec(path) ?? [];
    if (file === undefined) throw new Error(`${path} is outside the site`);
    const model = /^models\/garments\/(.+)$/.exec(file);
    if (site === 'small' && model !== null) {
      await whenSmall();
      return join(small, normalize(model[1]));
    }
    await whenBuilt();
    return join(built, file === '' ? 'index.html' : normalize(file));
  }

  const server = createServer(async ({ url = '' }, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    try {
      const file = await find(new URL(url, 'http://localhost').pathname);
      const content = readFileSync(file);
      response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream').end(content);
    } catch (error) {
      response.writeHead(404).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  project.provide('site', `http://127.0.0.1:${port}/some/path/`);
  project.provide('smallSite', `http://127.0.0.1:${port}/some/small/`);
  return () => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  };
}

async function buildSite(outDir: string): Promise<void> {
  const root = fileURLToPath(new URL('../../../examples/web', import.meta.url));
  await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'error', build: { outDir } });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
