// The blocks that kernels read their arguments from, as assembly/ declares them: which fields, in which order, of which type.
import { readdir, readFile } from 'node:fs/promises';
import ts from 'typescript';

/** Types of four bytes, so that fields lie one after another. */
const WORDS = ['i32', 'usize', 'f32'];

/** Source of src/wasm/kernelBlocks.ts. */
export async function kernelBlocks(folder) {
  const classes = new Map();
  const entries = new Map();
  for (const name of (await readdir(folder)).sort()) {
    const file = ts.createSourceFile(
      name,
      await readFile(`${folder}/${name}`, 'utf8'),
      ts.ScriptTarget.Latest,
    );
    for (const statement of file.statements) {
      if (ts.isClassDeclaration(statement) && hasDecorator(statement, 'unmanaged', file)) {
        classes.set(statement.name.text, { statement, file });
      }
      if (!ts.isFunctionDeclaration(statement) || statement.parameters.length > 0) continue;
      const block = /\btaskArguments<(\w+)>\(\)/.exec(statement.getText(file))?.[1];
      const exported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      if (exported && block !== undefined) entries.set(statement.name.text, block);
    }
  }
  for (const [entry, block] of entries) if (!classes.has(block)) entries.delete(entry);
  const blocks = [...classes.keys()].map((name) => blockOf(name, classes)).filter(holdsWords);
  return [
    '// Made by `npm run build:kernels` from assembly/; do not edit.\n',
    '/** A field; flags may be booleans. */\ntype Field = number | boolean;\n',
    '/*\n * The fields of the blocks that kernels read, four bytes each; `base` are those of the class that a block extends.\n */',
    ...blocks.map(declared),
    '/** How many fields each block has, and what writes them at a place in both views of the heap. */',
    object(
      'blocks',
      blocks.map((block) => [block.name, block]),
      writer,
    ),
    '\n/** Kernels that read their arguments from a block, and which. */',
    object('entries', [...entries].sort(), (block) => `'${block}'`),
    '',
  ].join('\n');
}

/** Not those that only lend their size, or that kernels alone use. */
function holdsWords({ base, fields, methods }) {
  return (
    !methods &&
    (base !== undefined || fields.length > 0) &&
    fields.every(([, type]) => type !== 'v128') &&
    (base === undefined || holdsWords(base))
  );
}

function declared({ name, base, fields }) {
  const lines = [
    ...(base === undefined ? [] : [`  base: ${base.name};\n`]),
    ...fields.map(([field]) => `  ${field}: Field;\n`),
  ];
  return `interface ${name} {\n${lines.join('')}}\n`;
}

function object(name, entries, show) {
  return `export const ${name} = {\n${entries.map(([key, value]) => `  ${key}: ${show(value)},\n`).join('')}} as const;`;
}

/** Code rather than a table to go through, and no spreading: kernels run by the hundred in a training step, some for microseconds. */
function writer(block) {
  const places = placesOf(block, 'f');
  const stores = places.map(([place, type], i) => {
    const at = i === 0 ? 'at' : `at + ${i}`;
    return `      ${type === 'f32' ? 'floats' : 'words'}[${at}] = +${place};\n`;
  });
  const used = (view) => (stores.some((store) => store.includes(` ${view}[`)) ? view : `_${view}`);
  return `{
    words: ${places.length},
    write(f: ${block.name}, ${used('words')}: Int32Array, ${used('floats')}: Float32Array, at: number): void {
${stores.join('')}    },
  }`;
}

/** Where each field is found, in their order in memory. */
function placesOf({ base, fields }, from) {
  const before = base === undefined ? [] : placesOf(base, `${from}.base`);
  return [...before, ...fields.map(([field, type]) => [`${from}.${field}`, type])];
}

function hasDecorator(node, name, file) {
  return (ts.getDecorators(node) ?? []).some(({ expression }) => expression.getText(file) === name);
}

function blockOf(name, classes) {
  const { statement, file } = classes.get(name);
  const base = statement.heritageClauses?.[0].types[0].expression.getText(file);
  const fields = statement.members.filter(ts.isPropertyDeclaration).map((member) => {
    const type = member.type.getText(file);
    if (!WORDS.includes(type) && type !== 'v128') {
      throw new Error(
        `assembly/${file.fileName}: ${name}.${member.name.text} is ${type}, not one of ${WORDS.join(', ')}`,
      );
    }
    return [member.name.text, type];
  });
  const methods = statement.members.some(ts.isMethodDeclaration);
  return { name, fields, methods, base: base === undefined ? undefined : blockOf(base, classes) };
}
