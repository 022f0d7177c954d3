import type { Stat } from "../../../model/index.ts";

/** A path, with the Stat that an answer has shown of it last. */
export class SeenPath {
  readonly path: string;
  #stat: Stat | undefined = undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** An answer shows a Stat: what it is kept as, whatever becomes of the given one. */
  shows(stat: Stat): Stat {
    if (this.#stat === undefined || !areEqual(this.#stat, stat)) this.#stat = { ...stat };
    return this.#stat;
  }
}

/**
 * Makes equal paths one text, and equal Stats of a path that come one after the other one object: a history names few
 * paths many times, and what is one object is found in the processor's caches.
 */
export class SeenPaths {
  readonly #paths = new Map<string, SeenPath>();

  of(path: string): SeenPath {
    let seen = this.#paths.get(path);
    if (seen === undefined) this.#paths.set(path, (seen = new SeenPath(path)));
    return seen;
  }
}

function areEqual(a: Stat, b: Stat): boolean {
  return (
    a.mzxid === b.mzxid &&
    a.pzxid === b.pzxid &&
    a.czxid === b.czxid &&
    a.version === b.version &&
    a.cversion === b.cversion &&
    a.aversion === b.aversion &&
    a.ctime === b.ctime &&
    a.mtime === b.mtime &&
    a.dataLength === b.dataLength &&
    a.numChildren === b.numChildren &&
    a.ephemeralOwner === b.ephemeralOwner
  );
}
