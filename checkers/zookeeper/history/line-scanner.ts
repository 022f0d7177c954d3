import { Buffer } from "node:buffer";

const [comma, openBracket, closeBracket, openBrace, closeBrace] = [44, 91, 93, 123, 125];
const [quote, minus, digit0, digit9] = [34, 45, 48, 57];
const [space, backslash, lastAscii] = [32, 92, 126];

/** An integer of so many digits is exact. */
const digitsMax = 15;
const cachedTexts = 1 << 16;

const wordBytes = 4;

/** A text that is looked for, four bytes at a time: it has at least so many. */
class KnownText {
  readonly length: number;
  /** The words of which it consists, the last of them ending where it does. */
  readonly words: Int32Array;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.words = Int32Array.from({ length: Math.ceil(bytes.length / wordBytes) }, (_, i) =>
      bytes.readInt32LE(Math.min(i * wordBytes, bytes.length - wordBytes)),
    );
  }
}

const nullText = new KnownText("null");
const trueText = new KnownText("true");
const falseText = new KnownText("false");

/** The names of the fields that an object may have, each with a bit: its number is that of its place here. */
export class FieldNames<const Name extends string> {
  readonly names: readonly Name[];
  /** `"name":` of each. */
  readonly texts: readonly KnownText[];
  /** Of each, and first of all of the object's beginning, the field that came next last time. */
  readonly next: Int32Array;

  constructor(names: readonly Name[]) {
    this.names = names;
    this.texts = names.map((name) => new KnownText(`${JSON.stringify(name)}:`));
    this.next = new Int32Array(names.length + 1);
  }

  bits(some: readonly Name[] = this.names): number {
    return some.reduce((bits, name) => bits | (1 << this.names.indexOf(name)), 0);
  }
}

/** Reads the value of a field by its number; of the fields before it the bits are told. */
export type ReadField = (field: number, told: number) => void;

/**
 * Goes through JSON as this project writes it, and as Python's does by default: no white space but a space behind a
 * colon or comma, texts of ASCII without escapes, integers. Each method looks at what comes next, and goes on behind it
 * if it is what was asked for. If it is nothing of the kind then `isLost`: what the scanner has said of the line is worth
 * nothing, and JSON.parse has to read it.
 */
export class LineScanner {
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #given: Uint8Array = this.#bytes;
  /** Where it is. */
  at = 0;
  isLost = false;
  /** Texts that were read, by a hash of their bytes, so that what comes again is one text. */
  readonly #texts = Array.from({ length: cachedTexts }, () => "");
  /** Of the text that it has gone behind last. */
  #hash = 0;

  begin(bytes: Uint8Array, at: number): void {
    if (bytes !== this.#given) {
      this.#given = bytes;
      this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.at = at;
    this.isLost = false;
  }

  expect(byte: number): void {
    if (!this.is(byte)) this.isLost = true;
  }

  /** Whether it is this byte. */
  is(byte: number): boolean {
    if (this.#bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  /** Whether it is a text; goes nowhere. */
  isQuote(): boolean {
    return this.#bytes[this.at] === quote;
  }

  /** Whether it is this text. */
  isText({ words, length }: KnownText): boolean {
    const view = this.#view;
    const from = this.at;
    const last = words.length - 1;
    if (from + length > view.byteLength) return false;
    for (let i = 0; i < last; i++) if (view.getInt32(from + i * wordBytes, true) !== words[i]) return false;
    if (view.getInt32(from + length - wordBytes, true) !== words[last]) return false;
    this.at = from + length;
    return true;
  }

  /** An object that has none but these fields, and none twice: which it has. */
  object(names: FieldNames<string>, read: ReadField): number {
    this.expect(openBrace);
    let [told, field] = [0, -1];
    do {
      field = this.#name(names, field);
      if ((told & (1 << field)) !== 0) this.isLost = true;
      if (this.isLost) return 0;
      this.#space();
      read(field, told);
      told |= 1 << field;
    } while (this.#goesOn());
    this.expect(closeBrace);
    return told;
  }

  list<Item>(read: () => Item): Item[] {
    this.expect(openBracket);
    if (this.is(closeBracket)) return [];
    const items = [read()];
    while (!this.isLost && this.#goesOn()) items.push(read());
    this.expect(closeBracket);
    return items;
  }

  /** Whether a comma comes; goes on behind it and a space. */
  #goesOn(): boolean {
    if (!this.is(comma)) return false;
    this.#space();
    return true;
  }

  #space(): void {
    if (this.#bytes[this.at] === space) this.at++;
  }

  truth(): boolean {
    if (this.isText(trueText)) return true;
    if (!this.isText(falseText)) this.isLost = true;
    return false;
  }

  textOrNull(): string | null {
    return this.isText(nullText) ? null : this.text();
  }

  skipTextOrNull(): void {
    if (!this.isText(nullText)) this.skipText();
  }

  /** `before` is the number of the field before it, -1 at an object's beginning. */
  #name(names: FieldNames<string>, before: number): number {
    const { texts, next } = names;
    const guess = next[before + 1] as number;
    if (this.isText(texts[guess] as KnownText)) return guess;
    for (let name = 0; name < texts.length; name++) {
      if (!this.isText(texts[name] as KnownText)) continue;
      next[before + 1] = name;
      return name;
    }
    return this.lose();
  }

  /** An integer that is certain to be exact; of another number its beginning, behind which it does not end. */
  integer(): number {
    const bytes = this.#bytes;
    const isNegative = bytes[this.at] === minus;
    const first = isNegative ? this.at + 1 : this.at;
    let at = first;
    let value = 0;
    for (;;) {
      const byte = bytes[at] as number;
      if (!(byte >= digit0 && byte <= digit9)) break;
      value = value * 10 + (byte - digit0);
      at++;
    }
    const digits = at - first;
    if (digits === 0 || digits > digitsMax) return this.lose();
    if (bytes[first] === digit0 && digits > 1) return this.lose();
    this.at = at;
    return isNegative ? -value : value;
  }

  count(): number {
    const value = this.integer();
    return value >= 0 ? value : this.lose();
  }

  text(): string {
    const bytes = this.#bytes;
    const from = this.at + 1;
    this.skipText();
    if (this.isLost) return "";
    const to = this.at - 1;
    const slot = (this.#hash ^ (this.#hash >>> 16)) & (cachedTexts - 1);
    const known = this.#texts[slot] as string;
    if (known.length === to - from) {
      let i = 0;
      while (i < known.length && known.charCodeAt(i) === bytes[from + i]) i++;
      if (i === known.length) return known;
    }
    return (this.#texts[slot] = bytes.toString("latin1", from, to));
  }

  skipText(): void {
    const bytes = this.#bytes;
    let at = this.at + 1;
    let hash = 0;
    if (bytes[this.at] !== quote) this.isLost = true;
    for (;;) {
      const byte = bytes[at] as number;
      if (byte === quote) break;
      // Beyond the bytes there is no number.
      if (!(byte >= space && byte <= lastAscii) || byte === backslash) {
        this.isLost = true;
        break;
      }
      hash = ((hash << 5) - hash + byte) | 0;
      at++;
    }
    this.at = at + 1;
    this.#hash = hash;
  }

  /** It is not what was expected. */
  lose(): 0 {
    this.isLost = true;
    return 0;
  }
}
