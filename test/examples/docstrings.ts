import ts from 'typescript';

/** A public name's docstring example. */
export interface Example {
  /** The name as exported, or Class.method. */
  name: string;
  code: string;
}

/** What an entry file exports. */
export interface Exports {
  examples: Example[];
  /** Exported functions and classes whose docstring has no example; subclasses of FlowError need none. */
  without: string[];
}

/** Reads the docstrings of everything that the entry files export, methods of exported classes included. */
export function readExports(entries: string[], tsconfig: string): Exports {
  const { config } = ts.readConfigFile(tsconfig, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ts.sys.getCurrentDirectory());
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  const examples: Example[] = [];
  const without: string[] = [];
  const seen = new Set<ts.Symbol>();
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      const own = examplesOf(exported.name, symbol, checker);
      const methods = [...(symbol.members?.values() ?? [])].flatMap((member) =>
        examplesOf(`${exported.name}.${member.name}`, member, checker),
      );
      examples.push(...own, ...methods);
      const runs = symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class);
      if (runs && own.length === 0 && !isSpecificError(symbol, checker)) without.push(exported.name);
    }
  }
  return { examples, without };
}

/** The example of FlowError serves its subclasses. */
function isSpecificError(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  const type = checker.getDeclaredTypeOfSymbol(symbol) as ts.InterfaceType;
  return type.isClass() && checker.getBaseTypes(type).some((base) => base.symbol.name === 'FlowError');
}

function examplesOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): Example[] {
  return symbol
    .getJsDocTags(checker)
    .filter((tag) => tag.name === 'example')
    .map((tag) => ({ name, code: ts.displayPartsToString(tag.text) }));
}
