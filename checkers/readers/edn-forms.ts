/** A top-level form of a file, as text, with the line on which it begins. */
export interface TopForm {
  readonly text: string;
  readonly line: number;
}

/**
 * Cuts EDN text, line by line, into the maps of a history, which stand one after the other or inside one vector or
 * list. Knows just enough of EDN to find where a form ends; `problem` says what does not belong at top level.
 */
export class EdnForms {
  #parts: string[] = [];
  #length: number = 0;
  #depth: number = 0;
  #inString: boolean = false;
  #startLine: number = 0;
  /** The bracket that closes the vector or list around all forms; "closed" after it. */
  #around: string | undefined;
  #formSeen: boolean = false;
  /** Characters of the form that has begun. */
  get pending(): number {
    return this.#length;
  }
  /** What is still open at the end of the file, and the line where it began. */
  get unfinished(): { readonly what: string; readonly line: number } | undefined {
    if (this.#length > 0) return { what: this.#inString ? "a text" : "a map", line: this.#startLine };
    return this.#around === "]" || this.#around === ")"
      ? { what: "the list of all events", line: 1 }
      : undefined;
  }

  /** Takes a line; returns what is wrong at top level, if anything. */
  line(text: string, number: number, take: (form: TopForm) => void): string | undefined {
    let from = this.#length > 0 ? 0 : -1;
    for (let at = 0; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (this.#inString) {
        if (c === 92) at++;
        else if (c === 34) this.#inString = false;
        continue;
      }
      if (c === 59) {
        // A comment inside a form is left out of its text.
        if (from !== -1) this.#keep(text.slice(from, at));
        if (from !== -1) this.#keep("\n");
        return undefined;
      }
      if (from === -1) {
        if (c === 32 || (c >= 9 && c <= 13) || c === 44) continue;
        const problem = this.#outside(text[at] as string);
        if (problem !== undefined) return problem;
        if (c !== 123 && c !== 35) continue;
        from = at;
        this.#startLine = number;
        this.#formSeen = true;
      }
      if (c === 34) this.#inString = true;
      else if (c === 92) at++;
      else if (c === 123 || c === 91 || c === 40) this.#depth++;
      else if (c === 125 || c === 93 || c === 41) {
        if (--this.#depth > 0) continue;
        this.#depth = 0;
        this.#keep(text.slice(from, at + 1));
        take({ text: this.#parts.join(""), line: this.#startLine });
        this.#parts = [];
        this.#length = 0;
        from = -1;
      }
    }
    if (from !== -1) this.#keep(`${text.slice(from)}\n`);
    return undefined;
  }

  #keep(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }

  #outside(c: string): string | undefined {
    if (this.#around === "closed") return `expected nothing after the list of all events, not '${c}'`;
    if (c === "{" || c === "#") return undefined;
    if ((c === "[" || c === "(") && this.#around === undefined && !this.#formSeen) {
      this.#around = c === "[" ? "]" : ")";
      return undefined;
    }
    if (c === this.#around) {
      this.#around = "closed";
      return undefined;
    }
    return `expected a map {:process ..., :type ..., :f ...}, not '${c}'`;
  }
}
