import type { Json } from "../../model/light.ts";
import { Texts } from "./texts.ts";

/** A form that is no EDN: the message says what was expected, `at` where, as an offset in the text. */
export class EdnError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.name = "EdnError";
    this.at = at;
  }
}

const depthMax = 200;

/**
 * Reads one EDN form (github.com/edn-format/edn) as JSON: keywords become ":name" as values and "name" as keys of
 * maps, lists, vectors and sets become arrays (sets sorted by their text), tags are left out, integers beyond 2^53 and
 * ratios become text. Throws EdnError for anything else and for text after the form.
 */
export function parseEdn(text: string, texts: Texts = new Texts()): Json {
  const parser = new Parser(text, texts);
  const value = parser.form(0);
  parser.skip();
  if (parser.at < text.length) throw new EdnError("expected nothing more", parser.at);
  return value;
}

/** The first form of the text. */
export function parseFirstEdn(text: string, texts: Texts = new Texts()): Json {
  return new Parser(text, texts).form(0);
}

const characters: { readonly [name: string]: string } = {
  newline: "\n",
  return: "\r",
  space: " ",
  tab: "\t",
  formfeed: "\f",
  backspace: "\b",
};
const escapes: { readonly [letter: string]: string } = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  '"': '"',
  b: "\b",
  f: "\f",
};
const delimiter = /[\s,()[\]{}";]/;
/** The same for ASCII, by code. */
const isDelimiter: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  delimiter.test(String.fromCharCode(code)) ? 1 : 0,
);
/** Integers of so many digits are exact. */
const exactDigits = 15;

class Parser {
  readonly #text: string;
  readonly #texts: Texts;
  at: number = 0;

  constructor(text: string, texts: Texts) {
    this.#text = text;
    this.#texts = texts;
  }

  /** Skips white space, commas, comments and discarded forms. */
  skip(depth: number = 0): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.at);
      if (c === 32 || (c >= 9 && c <= 13) || c === 44) this.at++;
      else if (c === 59) this.#skipLine();
      else if (c === 35 && this.#text.charCodeAt(this.at + 1) === 95) {
        this.at += 2;
        this.form(depth + 1);
      } else return;
    }
  }

  form(depth: number): Json {
    if (depth > depthMax)
      throw new EdnError(`expected at most ${String(depthMax)} forms inside each other`, this.at);
    this.skip(depth);
    const c = this.#text[this.at];
    if (c === undefined) throw new EdnError("expected a form, the text ends", this.at);
    const integer = this.#smallInteger();
    if (integer !== undefined) return integer;
    if (c === "{") return this.#map(depth);
    if (c === "[") return this.#sequence("]", depth);
    if (c === "(") return this.#sequence(")", depth);
    if (c === '"') return this.#string();
    if (c === "\\") return this.#character();
    if (c === "#") return this.#dispatch(depth);
    if (this.#isDelimiterAt(this.at)) throw new EdnError(`expected a form, not '${c}'`, this.at);
    return this.#atom();
  }

  #skipLine(): void {
    const feed = this.#text.indexOf("\n", this.at);
    this.at = feed === -1 ? this.#text.length : feed + 1;
  }

  #sequence(close: string, depth: number): Json[] {
    this.at++;
    const items: Json[] = [];
    for (;;) {
      this.skip(depth);
      if (this.#text[this.at] === close) break;
      items.push(this.form(depth + 1));
    }
    this.at++;
    return items;
  }

  #map(depth: number): Json {
    const map: { [key: string]: Json } = {};
    this.at++;
    for (;;) {
      this.skip(depth);
      if (this.#text[this.at] === "}") break;
      const from = this.at;
      const key = this.form(depth + 1);
      this.skip(depth);
      if (this.#text[this.at] === "}")
        throw new EdnError("expected a value for the last key of the map", this.at);
      const name =
        typeof key === "string"
          ? this.#text[from] === ":"
            ? this.#texts.own(key.slice(1))
            : key
          : JSON.stringify(key);
      const value = this.form(depth + 1);
      if (Object.hasOwn(map, name))
        throw new EdnError(`expected each key of the map once, not ${name} twice`, from);
      if (name !== "__proto__") map[name] = value;
      else Object.defineProperty(map, name, { value, enumerable: true, writable: true, configurable: true });
    }
    this.at++;
    return map;
  }

  #dispatch(depth: number): Json {
    const next = this.#text[this.at + 1];
    if (next === "{") {
      this.at++;
      const items = this.#sequence("}", depth);
      const byText = items.map((item) => ({ item, text: JSON.stringify(item) }));
      return byText.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ item }) => item);
    }
    if (next === "#") {
      this.at += 2;
      const name = this.#token();
      const value = { Inf: "Infinity", "-Inf": "-Infinity", NaN: "NaN" }[name];
      if (value === undefined) throw new EdnError(`expected ##Inf, ##-Inf or ##NaN, not ##${name}`, this.at);
      return value;
    }
    this.at++;
    if (this.#token() === "") throw new EdnError("expected a tag after #", this.at);
    return this.form(depth + 1);
  }

  #string(): string {
    const from = ++this.at;
    let text = "";
    let plain = from;
    for (;;) {
      const c = this.#text[this.at];
      if (c === undefined) throw new EdnError("expected the end of the text that begins here", from - 1);
      if (c === '"') break;
      if (c !== "\\") {
        this.at++;
        continue;
      }
      text += this.#text.slice(plain, this.at) + this.#escape();
      plain = this.at;
    }
    text += this.#text.slice(plain, this.at++);
    return this.#texts.own(text);
  }

  #escape(): string {
    const letter = this.#text[this.at + 1] ?? "";
    if (letter === "u") {
      const hex = this.#text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex))
        throw new EdnError("expected four hexadecimal digits after \\u", this.at);
      this.at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const escaped = escapes[letter];
    if (escaped === undefined)
      throw new EdnError(`expected an escape such as \\n or \\", not \\${letter}`, this.at);
    this.at += 2;
    return escaped;
  }

  #character(): string {
    const from = this.at++;
    const first = this.#text[this.at++] ?? "";
    const name = first + (delimiter.test(first) ? "" : this.#token());
    if (name.length === 1) return name;
    if (/^u[0-9a-fA-F]{4}$/.test(name)) return String.fromCharCode(Number.parseInt(name.slice(1), 16));
    const character = characters[name];
    if (character === undefined) throw new EdnError(`expected a character, not \\${name}`, from);
    return character;
  }

  #token(): string {
    const from = this.at;
    while (this.at < this.#text.length && !this.#isDelimiterAt(this.at)) this.at++;
    return this.#text.slice(from, this.at);
  }

  #isDelimiterAt(at: number): boolean {
    const code = this.#text.charCodeAt(at);
    return code < 128 ? isDelimiter[code] === 1 : delimiter.test(this.#text[at] as string);
  }

  /** An integer of few digits, the most frequent form of all; undefined where something else stands. */
  #smallInteger(): number | undefined {
    const text = this.#text;
    let at = this.at;
    const isNegative = text.charCodeAt(at) === 45;
    if (isNegative) at++;
    const from = at;
    let value = 0;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      value = 10 * value + digit;
    }
    if (at === from || at - from > exactDigits) return undefined;
    if (at < text.length && !this.#isDelimiterAt(at)) return undefined;
    this.at = at;
    return isNegative ? -value : value;
  }

  #atom(): Json {
    const from = this.at;
    const token = this.#token();
    if (token === "nil") return null;
    if (token === "true") return true;
    if (token === "false") return false;
    const first = token.charCodeAt(0);
    if (first === 58) {
      if (token.length === 1) throw new EdnError("expected a name after :", from);
      return this.#texts.own(token);
    }
    const looksNumeric = /^[+-]?\d/.test(token);
    if (!looksNumeric) return this.#texts.own(token);
    if (/^[+-]?\d+N?$/.test(token)) {
      const value = Number(token.replace("N", ""));
      return Number.isSafeInteger(value) ? value : token;
    }
    if (/^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?M?$/.test(token)) return Number(token.replace("M", ""));
    if (/^[+-]?\d+\/\d+$/.test(token)) return token;
    throw new EdnError(`expected a number, not ${token.slice(0, 40)}`, from);
  }
}
