import { join } from 'node:path';
import { isFolder, listFolder } from './files';
import { chooseByName, type DatasetSplit, quoted, splitOf } from './nameParts';

/** The file that holds a data set. */
export interface DataFile {
  path: string;
  /** The wanted part, where the file's name does not speak of it. */
  split?: DatasetSplit;
  /** What was chosen of several, in sentences. */
  notices: string[];
}

/**
 * The one file with the wanted kind of name: the given one, or one in a folder.
 *
 * @param what as in 'one .npz file'
 * @throws DataError where there is none, or it is not clear which one is meant
 */
export async function findDataFile(
  root: string,
  isWanted: (name: string) => boolean,
  what: string,
  split: DatasetSplit | undefined,
): Promise<DataFile> {
  if (!(await isFolder(root))) return { path: root, split, notices: [] };
  const names = await listDataFiles(root, isWanted);
  const sayParts = names.some((name) => splitOf(name) !== undefined);
  const hint = names.length === 0 ? '' : 'Give one of them itself, or the part: split.';
  const name = chooseByName(names, sayParts ? split : undefined, { what, path: root, hint });
  const others = names.filter((other) => other !== name);
  return {
    path: join(root, name),
    split: sayParts ? undefined : split,
    notices: others.length === 0 ? [] : [`File '${name}' is read; left out: ${quoted(others)}.`],
  };
}

/** Files of a folder with the wanted kind of name, or of the folders in it where it has none. */
async function listDataFiles(folder: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const { files, folders } = await listFolder('openImages', folder);
  const direct = files.filter(isWanted);
  if (direct.length > 0) return direct;
  const inner = await Promise.all(folders.map((name) => listFolder('openImages', join(folder, name))));
  return inner.flatMap((listing, i) => listing.files.filter(isWanted).map((name) => join(folders[i], name)));
}
