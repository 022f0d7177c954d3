import {
  type CreateMode,
  createModes,
  type ErrorCode,
  type Stat,
  type SubRequest,
  type SubResult,
} from "../../../model/index.ts";
import { FieldNames, type LineScanner, type ReadField } from "./line-scanner.ts";
import type { StatFields } from "./stat-fields.ts";

const partFields = new FieldNames(["op", "path", "data", "version", "mode"]);
const partOf: { readonly [op: string]: number } = {
  create: partFields.bits(["op", "path", "data", "mode"]),
  setData: partFields.bits(["op", "path", "data", "version"]),
  delete: partFields.bits(["op", "path", "version"]),
  check: partFields.bits(["op", "path", "version"]),
};
const resultFields = new FieldNames(["op", "path", "stat", "error"]);
const resultOf: { readonly [op: string]: number } = {
  create: resultFields.bits(["op", "path"]),
  setData: resultFields.bits(["op", "stat"]),
  delete: resultFields.bits(["op"]),
  check: resultFields.bits(["op"]),
  error: resultFields.bits(["op", "error"]),
};

const statBit = resultFields.bits(["stat"]);

/** Reads the parts of a multi from lines, and what they were answered. */
export class MultiFields {
  readonly #scanner: LineScanner;
  readonly #stats: StatFields;
  #op = "";
  #path = "";
  #data: string | null = null;
  #version = -1;
  #mode = "";
  #stat: Stat | undefined = undefined;
  #error = "";

  constructor(scanner: LineScanner, stats: StatFields) {
    this.#scanner = scanner;
    this.#stats = stats;
  }

  parts(): readonly SubRequest[] {
    return this.#scanner.list(this.#part);
  }

  skipParts(): void {
    this.#scanner.list(this.#skipPart);
  }

  results(): readonly SubResult[] {
    return this.#scanner.list(this.#result);
  }

  readonly #part = (): SubRequest => {
    const told = this.#scanner.object(partFields, this.#partField);
    const [op, path, data, version] = [this.#op, this.#path, this.#data, this.#version];
    if (told !== partOf[op] || (op === "create" && !createModes.has(this.#mode))) this.#scanner.isLost = true;
    if (op === "setData") return { op, path, data, version };
    if (op === "create") return { op, path, data, mode: this.#mode as CreateMode };
    return { op: op as "delete" | "check", path, version };
  };

  readonly #partField: ReadField = (field) => {
    const scanner = this.#scanner;
    switch (partFields.names[field]) {
      case "op":
        this.#op = scanner.text();
        break;
      case "path":
        this.#path = scanner.text();
        break;
      case "data":
        this.#data = scanner.textOrNull();
        break;
      case "version":
        this.#version = scanner.integer();
        break;
      case "mode":
        this.#mode = scanner.text();
    }
  };

  /** What it was is known from the invocation. */
  readonly #skipPart = (): void => {
    this.#scanner.object(partFields, this.#skipPartField);
  };

  readonly #skipPartField: ReadField = (field) => {
    if (partFields.names[field] === "version") this.#scanner.integer();
    else this.#scanner.skipTextOrNull();
  };

  readonly #result = (): SubResult => {
    this.#stat = undefined;
    const told = this.#scanner.object(resultFields, this.#resultField);
    const [op, path, stat] = [this.#op, this.#path, this.#stat];
    const needed = resultOf[op] ?? -1;
    // Servers of 3.4 tell no Stat of a create.
    const isWhole = told === needed || (op === "create" && told === (needed | statBit));
    if (!isWhole) this.#scanner.isLost = true;
    if (op === "create") return stat === undefined ? { op, path } : { op, path, stat };
    if (op === "setData") return { op, stat: stat as unknown as Stat };
    if (op === "error") return { op, error: this.#error as ErrorCode };
    return { op: op as "delete" | "check" };
  };

  readonly #resultField: ReadField = (field) => {
    switch (resultFields.names[field]) {
      case "op":
        this.#op = this.#scanner.text();
        break;
      case "path":
        this.#path = this.#scanner.text();
        break;
      case "stat":
        this.#stat = { ...this.#stats.read() };
        break;
      case "error":
        this.#error = this.#scanner.text();
    }
  };
}
