import type { ImportOptions } from 'tfjs-flows';
import { fixture as fixtureAt } from '../support/fixture';
import {
  configOf,
  importOptions as importOptionsOf,
  makeReference,
  type Reference,
} from '../support/publishedGlows';

export function fixture(name: string, file: string): Uint8Array {
  return fixtureAt(`glow/${name}/${file}`);
}

/** What the file itself does not say. */
export function importOptions(name: string): ImportOptions {
  return importOptionsOf(configOf(fixture(name, 'config.json')));
}

export function loadReference(name: string, file: string, options?: ImportOptions): Promise<Reference> {
  return makeReference(
    [file, 'config.json', 'io.npz'].map((each) => fixture(name, each)),
    options,
  );
}
