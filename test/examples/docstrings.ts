import ts from 'typescript';

/** A public name's docstring example. */
export interface Example {
  /** The name as exported, or Class.method. */
  name: string;
  code: string;
}

/** What the entry files export. */
export interface Exports {
  examples: Example[];
  /** Exported functions, classes and constants whose docstring has no example. (In the site a type has that of its user.) */
  without: string[];
  /** Exported names with no docstring. */
  undocumented: string[];
}

/** Reads the docstrings of everything that the entry files export, methods of exported classes included. */
export function readExports(entries: string[], tsconfig: string): Exports {
  const { config } = ts.readConfigFile(tsconfig, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ts.sys.getCurrentDirectory());
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  const examples: Example[] = [];
  const without: string[] = [];
  const undocumented: string[] = [];
  const seen = new Set<ts.Symbol>();
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      const own = examplesOf(exported.name, symbol, checker);
      const methods = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])].flatMap(
        (member) => examplesOf(`${exported.name}.${member.name}`, member, checker),
      );
      examples.push(...own, ...methods);
      if (symbol.flags & ts.SymbolFlags.Value && own.length === 0) without.push(exported.name);
      if (symbol.getDocumentationComment(checker).length === 0) undocumented.push(exported.name);
    }
  }
  return { examples, without, undocumented };
}

function examplesOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): Example[] {
  return symbol
    .getJsDocTags(checker)
    .filter((tag) => tag.name === 'example')
    .map((tag) => ({ name, code: ts.displayPartsToString(tag.text) }));
}
