/** What keeps a flow from being one of another library, all of it. */
export class Reasons {
  readonly list: string[] = [];

  /** What tells of one part: each reason begins with its name. */
  about(part: string): Need {
    return (fits, reason) => {
      if (!fits) this.list.push(`${part}: ${reason}`);
    };
  }
}

/** Adds a reason unless something fits. */
export type Need = (fits: boolean, reason: string) => void;
