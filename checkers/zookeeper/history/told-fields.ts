import type { SessionEvent, Zxid } from "../../../model/index.ts";
import { FieldNames, type LineScanner, type ReadField } from "./line-scanner.ts";

const fields = new FieldNames([
  "path",
  "session",
  "process",
  "watchZxid",
  "server",
  "resumed",
  "timeoutMs",
  "lastZxidSeen",
  "reason",
]);
const ofWatch = fields.bits(["path", "session", "process", "watchZxid"]);
const ofConnect = fields.bits(["session", "process", "server", "resumed", "timeoutMs", "lastZxidSeen"]);
const ofDisconnect = fields.bits(["session", "process", "server", "reason"]);
const ofExpiry = fields.bits(["session", "process"]);

/** Reads from lines what watch events tell, and the events of a session's life. */
export class ToldFields {
  readonly #scanner: LineScanner;
  path = "";
  session = "";
  watchZxid: Zxid = -1;
  #process = 0;
  #server = "";
  #resumed = false;
  #timeoutMs = 0;
  #lastZxidSeen: Zxid = 0;
  #reason = "";

  constructor(scanner: LineScanner) {
    this.#scanner = scanner;
  }

  /** Path, session and zxid of a watch event. */
  watch(): void {
    if (this.#scanner.object(fields, this.#field) !== ofWatch) this.#scanner.isLost = true;
  }

  life(f: string): SessionEvent | undefined {
    const told = this.#scanner.object(fields, this.#field);
    const [session, process, server] = [this.session, this.#process, this.#server];
    if (f === "connect" && told === ofConnect) {
      const [resumed, timeoutMs, lastZxidSeen] = [this.#resumed, this.#timeoutMs, this.#lastZxidSeen];
      return { f, session, process, server, resumed, timeoutMs, lastZxidSeen };
    }
    if (f === "disconnect" && told === ofDisconnect)
      return { f, session, process, server, reason: this.#reason };
    if (f === "session-expired" && told === ofExpiry) return { f, session, process };
    this.#scanner.isLost = true;
    return undefined;
  }

  readonly #field: ReadField = (field) => {
    const scanner = this.#scanner;
    switch (fields.names[field]) {
      case "path":
        this.path = scanner.text();
        break;
      case "session":
        this.session = scanner.text();
        break;
      case "process":
        this.#process = scanner.integer();
        break;
      case "watchZxid":
        this.watchZxid = scanner.integer();
        break;
      case "server":
        this.#server = scanner.text();
        break;
      case "resumed":
        this.#resumed = scanner.truth();
        break;
      case "timeoutMs":
        this.#timeoutMs = scanner.integer();
        break;
      case "lastZxidSeen":
        this.#lastZxidSeen = scanner.integer();
        break;
      case "reason":
        this.#reason = scanner.text();
    }
  };
}
