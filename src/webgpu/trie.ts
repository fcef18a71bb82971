/** Values by paths of numbers; a path that was gone once costs no string and no object. */
export class Trie<Value> {
  value?: Value;
  private readonly branches = new Map<number, Trie<Value>>();

  /** What is behind a number, made where there is nothing yet. */
  at(key: number): Trie<Value> {
    let branch = this.branches.get(key);
    if (branch === undefined) {
      branch = new Trie();
      this.branches.set(key, branch);
    }
    return branch;
  }
}
