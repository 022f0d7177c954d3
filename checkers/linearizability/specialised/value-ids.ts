import type { Json } from "../../../model/light.ts";

/** Numbers values from 0 in the order in which they are met, equal ones alike; values are compared as JSON. */
export class ValueIds {
  readonly #plain: Map<Json, number> = new Map();
  readonly #structured: Map<string, number> = new Map();

  get size(): number {
    return this.#plain.size + this.#structured.size;
  }

  /** The number of a value, a new one if it has none. */
  idOf(value: Json): number {
    const known = this.find(value);
    if (known !== undefined) return known;
    const id = this.size;
    if (isPlain(value)) this.#plain.set(value, id);
    else this.#structured.set(JSON.stringify(value), id);
    return id;
  }

  /** The number of a value that was met before. */
  find(value: Json): number | undefined {
    return isPlain(value) ? this.#plain.get(value) : this.#structured.get(JSON.stringify(value));
  }
}

/** Whether a Map tells the value from others just as JSON does. */
function isPlain(value: Json): boolean {
  return typeof value !== "object" || value === null;
}
