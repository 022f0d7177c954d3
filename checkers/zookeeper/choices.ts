/** A place where the replay could go on in several ways. */
export interface ChoicePoint {
  readonly options: number;
  readonly chosen: number;
  /** What the options are about. */
  readonly path: string;
  /** The step of the replay in which the way was chosen. */
  readonly at: number;
}

/** The ways taken by one attempt: those of a given prefix, then always the first. */
export class Choices {
  #prefix: readonly number[] = [];
  readonly taken: ChoicePoint[] = [];
  /** The step of the replay that is under way. */
  at = 0;

  /** Begins another attempt, of which the first `kept` ways are taken already. */
  begin(prefix: readonly number[], kept: number): void {
    this.#prefix = prefix;
    this.taken.length = kept;
  }

  choose(options: number, path: string): number {
    if (options <= 1) return 0;
    const chosen = Math.min(this.#prefix[this.taken.length] ?? 0, options - 1);
    this.taken.push({ options, chosen, path, at: this.at });
    return chosen;
  }

  /** The ways taken, as a prefix for other attempts. */
  get chosen(): readonly number[] {
    return this.taken.map((point) => point.chosen);
  }

  /**
   * The prefixes that differ from this attempt at one of its own choice points, each exactly once over all attempts.
   * Only points of `related` paths count; those about `path` itself come last, the latest very last, so that a stack
   * tries them first.
   */
  others(path: string, related: (path: string) => boolean): number[][] {
    const [far, near]: [number[][], number[][]] = [[], []];
    for (let i = this.#prefix.length; i < this.taken.length; i++) {
      const point = this.taken[i] as ChoicePoint;
      if (!related(point.path)) continue;
      const before = this.taken.slice(0, i).map(({ chosen }) => chosen);
      const list = point.path === path ? near : far;
      for (let other = point.options - 1; other >= 0; other--) {
        if (other !== point.chosen) list.push([...before, other]);
      }
    }
    return [...far, ...near];
  }
}
