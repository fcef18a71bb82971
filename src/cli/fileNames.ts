/** Names that Windows keeps for devices, whatever ending stands behind them. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
/** File systems take 255 bytes; the rest is for prefixes, numbers and endings. */
const MOST_BYTES = 200;

/**
 * A file name without its ending for each of several names: letters and digits of all alphabets stay, everything else becomes `_`. No two are
 * the same, also where a file system makes no difference between capitals and small letters: those that would be are numbered.
 */
export function fileNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = plain(name);
    let unique = base;
    for (let number = 2; taken.has(folded(unique)); number++) unique = `${base}-${number}`;
    taken.add(folded(unique));
    return unique;
  });
}

function plain(name: string): string {
  const characters = [...name.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}_-]/gu, '_')];
  while (Buffer.byteLength(characters.join('')) > MOST_BYTES) characters.pop();
  const kept = characters.join('');
  return kept === '' || DEVICES.test(kept) ? `${kept}_` : kept;
}

/** What a file system that ignores case and ways of writing compares. */
function folded(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase();
}
