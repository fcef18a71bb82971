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
      if (exported && classes.has(block)) entries.set(statement.name.text, block);
    }
  }
  const blocks = [...classes.keys()].map((name) => [name, fieldsOf(name, classes)]);
  const words = blocks.filter(
    ([, fields]) => fields.length > 0 && fields.every(([, type]) => type !== 'v128'),
  );
  return [
    '// Made by `npm run build:kernels` from assembly/; do not edit.\n',
    '/** Fields of the blocks that kernels read, four bytes each, in their order. */',
    object(
      'blocks',
      words,
      (fields) => `{\n${fields.map(([name, type]) => `    ${name}: '${type}',\n`).join('')}  }`,
    ),
    '\n/** Kernels that read their arguments from a block, and which. */',
    object('entries', [...entries].sort(), (block) => `'${block}'`),
    '',
  ].join('\n');
}

function object(name, entries, show) {
  return `export const ${name} = {\n${entries.map(([key, value]) => `  ${key}: ${show(value)},\n`).join('')}} as const;`;
}

function hasDecorator(node, name, file) {
  return (ts.getDecorators(node) ?? []).some(({ expression }) => expression.getText(file) === name);
}

/** Those of the class that it extends come first. */
function fieldsOf(name, classes) {
  const { statement, file } = classes.get(name);
  const base = statement.heritageClauses?.[0].types[0].expression.getText(file);
  const own = statement.members.filter(ts.isPropertyDeclaration).map((member) => {
    const type = member.type.getText(file);
    if (!WORDS.includes(type) && type !== 'v128') {
      throw new Error(
        `assembly/${file.fileName}: ${name}.${member.name.text} is ${type}, not one of ${WORDS.join(', ')}`,
      );
    }
    return [member.name.text, type];
  });
  return [...(base === undefined ? [] : fieldsOf(base, classes)), ...own];
}
