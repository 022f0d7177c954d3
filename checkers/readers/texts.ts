/** Texts that are kept at once so that equal ones can be one. */
const knownMax = 1 << 16;
/** From this length on V8 makes a substring by reference, which keeps the whole text alive that it was cut from. */
const cutByReference = 13;

/**
 * Makes equal texts one, and cuts them off from the text of the file in which they stood: a history keeps its values,
 * and with them it would keep every chunk that was read.
 */
export class Texts {
  readonly #known: Map<string, string> = new Map();

  own(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const own = text.length < cutByReference ? text : copyOf(text);
    if (this.#known.size >= knownMax) this.#known.clear();
    this.#known.set(own, own);
    return own;
  }
}

/** The only way to a text of one's own is to make one that is longer, and to cut from that. */
function copyOf(text: string): string {
  return ` ${text}`.slice(1);
}
