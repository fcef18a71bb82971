/** Something that a pickle names: what may be called, and what stands for itself. */
export interface PickleGlobal {
  /** Makes the object from the arguments; absent where the name may not be called. */
  call?: (args: unknown[]) => unknown;
}

/**
 * An object of a class that is not known, as a pickle describes it: nothing of it was run, and it can do nothing.
 *
 * @example
 * const root = readTorchFile(trainedPkg);
 * const values = root instanceof Map ? [...root.values()] : [];
 * const args = values.find((value) => value instanceof PickledObject); // what argparse.Namespace, numpy.float64, ... left beside the weights
 * console.log(args?.className, args?.state); // 'argparse.Namespace', Map { 'lr' => 0.001 }
 */
export class PickledObject {
  /** What its attributes are, mostly a Map by name; undefined where the pickle gives none. */
  state: unknown;
  /** What it holds where it is a list or a set. */
  readonly items: unknown[] = [];
  /** What it holds where it is a dict. */
  readonly entries = new Map<unknown, unknown>();

  constructor(
    /** Module and name, as in 'argparse.Namespace'. */
    readonly className: string,
    /** What it is made of: the arguments of its class or function. */
    readonly args: readonly unknown[] = [],
  ) {}

  /** Takes what the pickle gives as its state. */
  build(state: unknown): void {
    this.state = state;
  }
}

/** A class or function that a pickle names; calling it makes an object that stands for the result. */
export class PickledClass implements PickleGlobal {
  constructor(readonly name: string) {}

  call(args: unknown[]): unknown {
    return new PickledObject(this.name, args);
  }
}

/** Modules whose functions reach outside of what was saved, and functions that run what they are given. */
const reaching =
  /^(os|posix|nt|subprocess|commands|sys|shutil|socket|runpy|importlib|pty|webbrowser|ctypes|code|codeop|pdb|bdb|timeit|marshal|pickle|_pickle|pip|tempfile|urllib|requests|http|ftplib|smtplib|asyncio|multiprocessing)\./;
const running =
  /^(builtins\.(eval|exec|execfile|compile|open|file|input|__import__|getattr|setattr|delattr|globals|locals|vars|apply|breakpoint|exit|quit)|operator\.(attrgetter|methodcaller)|types\.(CodeType|FunctionType)|torch\.(load|jit\.load|hub\.load)|numpy\.load|joblib\.load|numpy\.testing\..*)$/;

/** Whether unpickling in Python would run something by this name. Here nothing is run; but such a file is one to distrust. */
export function isHostile(name: string): boolean {
  return reaching.test(name) || running.test(name);
}
