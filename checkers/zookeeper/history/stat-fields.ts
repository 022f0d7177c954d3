import type { Stat } from "../../../model/index.ts";
import { FieldNames, type LineScanner, type ReadField } from "./line-scanner.ts";

const fields = new FieldNames([
  "czxid",
  "mzxid",
  "pzxid",
  "ctime",
  "mtime",
  "version",
  "cversion",
  "aversion",
  "dataLength",
  "numChildren",
  "ephemeralOwner",
]);
const whole = fields.bits();

/** Reads Stats from lines, one at a time. */
export class StatFields {
  readonly #scanner: LineScanner;
  readonly #numbers = new Float64Array(fields.names.length);
  readonly #stat: { -readonly [field in keyof Stat]: Stat[field] } = {
    czxid: 0,
    mzxid: 0,
    pzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: "",
    dataLength: 0,
    numChildren: 0,
  };

  constructor(scanner: LineScanner) {
    this.#scanner = scanner;
  }

  /** A whole Stat, in an object that the next one overwrites. */
  read(): Stat {
    const [stat, numbers] = [this.#stat, this.#numbers];
    if (this.#scanner.object(fields, this.#field) !== whole) this.#scanner.isLost = true;
    stat.czxid = numbers[0] as number;
    stat.mzxid = numbers[1] as number;
    stat.pzxid = numbers[2] as number;
    stat.ctime = numbers[3] as number;
    stat.mtime = numbers[4] as number;
    stat.version = numbers[5] as number;
    stat.cversion = numbers[6] as number;
    stat.aversion = numbers[7] as number;
    stat.dataLength = numbers[8] as number;
    stat.numChildren = numbers[9] as number;
    return stat;
  }

  readonly #field: ReadField = (field) => {
    if (fields.names[field] === "ephemeralOwner") this.#stat.ephemeralOwner = this.#scanner.text();
    else this.#numbers[field] = this.#scanner.integer();
  };
}
