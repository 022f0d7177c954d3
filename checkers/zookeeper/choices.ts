/** A place where the replay could go on in several ways. */
export interface ChoicePoint {
  readonly options: number;
  readonly chosen: number;
  /** What the options are about. */
  readonly path: string;
  /** The step of the replay in which the way was chosen. */
  readonly at: number;
}

/** The ways that one attempt took up to a choice point, and another one there. */
export interface OtherWay {
  readonly chosen: readonly number[];
  readonly at: number;
  readonly other: number;
}

/** The prefix of an attempt that goes the other way. */
export function prefixOf({ chosen, at, other }: OtherWay): readonly number[] {
  return [...chosen.slice(0, at), other];
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
   * The ways that differ from this attempt at one of its own choice points, each exactly once over all attempts. Only
   * points of `related` paths count; those about `path` itself come last, the latest very last, so that a stack tries
   * them first.
   */
  others(path: string, related: (path: string) => boolean): OtherWay[] {
    const [far, near]: [OtherWay[], OtherWay[]] = [[], []];
    const { chosen } = this;
    for (let at = this.#prefix.length; at < this.taken.length; at++) {
      const point = this.taken[at] as ChoicePoint;
      if (!related(point.path)) continue;
      const list = point.path === path ? near : far;
      for (let other = point.options - 1; other >= 0; other--) {
        if (other !== point.chosen) list.push({ chosen, at, other });
      }
    }
    return [...far, ...near];
  }
}
