import {
  type CreateMode,
  createModes,
  type EventType,
  sessionsProcess,
  watchesProcess,
  type ZnodeRequest,
} from "../../../model/index.ts";
import type { EventRecord, JsonObject } from "./event-record.ts";
import { FieldNames, LineScanner, type ReadField } from "./line-scanner.ts";
import { MultiFields } from "./multi-fields.ts";
import { kindNamed } from "./operation-kinds.ts";
import { StatFields } from "./stat-fields.ts";
import { ToldFields } from "./told-fields.ts";

type Op = ZnodeRequest["op"];

const lineFeed = 10;

const eventFields = new FieldNames([
  "index",
  "time",
  "process",
  "type",
  "f",
  "value",
  "zxid",
  "server",
  "session",
  "xid",
  "error",
]);
const neededOfEvent = eventFields.bits(["index", "time", "process", "type", "f", "value"]);
const beforeValue = eventFields.bits(["process", "type", "f"]);

const valueFields = new FieldNames([
  "path",
  "watch",
  "data",
  "version",
  "mode",
  "stat",
  "children",
  "final",
  "operations",
  "results",
]);
const path = valueFields.bits(["path"]);
/** The fields without which a request is none. */
const neededOfRequest: { readonly [op in Op]?: number } = {
  create: valueFields.bits(["path", "data", "mode"]),
  setData: valueFields.bits(["path", "data", "version"]),
  delete: valueFields.bits(["path", "version"]),
  check: valueFields.bits(["path", "version"]),
  multi: valueFields.bits(["operations"]),
};
/** And an ok. */
const neededOfResult: { readonly [op in Op]?: number } = {
  create: path,
  multi: valueFields.bits(["results"]),
};

const types: ReadonlyMap<string, EventType> = new Map(
  (["invoke", "ok", "fail", "info"] as const).map((type) => [type, type]),
);

/**
 * Recognises the lines of a history that tell of the most frequent operations, of watch events and of the life of
 * sessions, and fills a record from their bytes: making objects of a line's JSON takes longer. It takes a line only if
 * it is JSON as LineScanner knows it, and has the form of what it tells of (model/sequential/znodes/history-form.ts);
 * of all others it says that it does not know them.
 */
export class EventLines {
  readonly #record: EventRecord;
  readonly #scanner = new LineScanner();
  readonly #stats = new StatFields(this.#scanner);
  readonly #multis = new MultiFields(this.#scanner, this.#stats);
  readonly #told = new ToldFields(this.#scanner);

  constructor(record: EventRecord) {
    this.#record = record;
  }

  /** The end of the line that begins at `from`, once the record is filled; -1 where it is not recognised. */
  read(bytes: Uint8Array, from: number): number {
    const scanner = this.#scanner;
    scanner.begin(bytes, from);
    this.#record.clear();
    const told = scanner.object(eventFields, this.#eventField);
    const end = scanner.at;
    const isWhole =
      (told & neededOfEvent) === neededOfEvent && (end === bytes.length || bytes[end] === lineFeed);
    return isWhole && !scanner.isLost ? end : -1;
  }

  readonly #eventField: ReadField = (field, told) => {
    const [record, scanner] = [this.#record, this.#scanner];
    switch (eventFields.names[field]) {
      case "index":
        record.index = scanner.count();
        break;
      case "time":
        record.time = scanner.integer();
        break;
      case "process":
        if (scanner.isQuote()) this.#process(scanner.text());
        else record.process = scanner.count();
        break;
      case "type":
        this.#type(scanner.text());
        break;
      case "f":
        record.f = scanner.text();
        break;
      case "value":
        if ((told & beforeValue) === beforeValue) this.#value();
        else scanner.isLost = true;
        break;
      case "zxid":
        record.zxid = scanner.integer();
        break;
      case "xid":
        scanner.integer();
        break;
      case "server":
        record.server = scanner.text();
        break;
      case "session":
        record.session = scanner.text();
        break;
      case "error":
        record.error = scanner.text();
    }
  };

  #type(text: string): void {
    const type = types.get(text);
    if (type === undefined) this.#scanner.isLost = true;
    else this.#record.type = type;
  }

  #process(name: string): void {
    if (name !== watchesProcess && name !== sessionsProcess) this.#scanner.isLost = true;
    this.#record.process = name;
  }

  #value(): void {
    const { process } = this.#record;
    if (typeof process === "number") this.#operation();
    else if (this.#record.type !== "info") this.#scanner.isLost = true;
    else if (process === watchesProcess) this.#watch();
    else this.#record.life = this.#told.life(this.#record.f);
  }

  #watch(): void {
    const [record, told] = [this.#record, this.#told];
    told.watch();
    // The type of the event.
    if (record.f === "") this.#scanner.isLost = true;
    record.path = told.path;
    record.ofSession = told.session;
    record.watchZxid = told.watchZxid;
  }

  #operation(): void {
    const { type, f } = this.#record;
    const kind = kindNamed(f);
    if (kind === undefined || !(kind.isPlain || kind.op === "multi")) {
      this.#scanner.isLost = true;
      return;
    }
    this.#record.kind = kind;
    const { op } = kind;
    const isRequest = type === "invoke";
    const told = this.#scanner.object(valueFields, isRequest ? this.#requestField : this.#answerField);
    const ofResult = type === "ok" ? (neededOfResult[op] ?? 0) : 0;
    const needed = isRequest ? (neededOfRequest[op] ?? path) : ofResult;
    if ((told & needed) !== needed) this.#scanner.isLost = true;
  }

  readonly #requestField: ReadField = (field) => {
    const [record, scanner] = [this.#record, this.#scanner];
    const { op } = record.kind;
    switch (valueFields.names[field]) {
      case "path":
        record.path = scanner.text();
        break;
      case "watch":
        record.watch = scanner.truth();
        break;
      case "data":
        if (op === "create" || op === "setData") record.data = scanner.textOrNull();
        else scanner.isLost = true;
        break;
      case "version":
        record.version = scanner.integer();
        break;
      case "mode":
        if (op === "create") this.#mode(scanner.text());
        else scanner.isLost = true;
        break;
      case "final":
        record.isFinal = scanner.truth();
        break;
      case "operations":
        if (op === "multi") record.request = { operations: this.#multis.parts() } as unknown as JsonObject;
        else scanner.isLost = true;
        break;
      default:
        scanner.isLost = true;
    }
  };

  /** What the request was is known from the invocation. */
  readonly #answerField: ReadField = (field) => {
    const [record, scanner] = [this.#record, this.#scanner];
    const { type } = record;
    const { op } = record.kind;
    switch (valueFields.names[field]) {
      case "path":
        if (op === "create" && type === "ok") record.path = scanner.text();
        else scanner.skipText();
        break;
      case "watch":
      case "final":
        scanner.truth();
        break;
      case "data":
        if (op === "getData") record.data = scanner.textOrNull();
        else scanner.skipTextOrNull();
        break;
      case "version":
        scanner.integer();
        break;
      case "mode":
        scanner.skipText();
        break;
      case "stat":
        record.stat = this.#stats.read();
        break;
      case "children":
        record.children = scanner.list(this.#name).slice();
        break;
      case "operations":
        this.#multis.skipParts();
        break;
      case "results":
        record.results = this.#multis.results();
    }
  };

  readonly #name = (): string => this.#scanner.text();

  #mode(text: string): void {
    if (createModes.has(text)) this.#record.mode = text as CreateMode;
    else this.#scanner.isLost = true;
  }
}
