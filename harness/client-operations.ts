import { clientProcess, doneBy, type Json } from "../model/index.ts";
import type { Worker } from "./workloads/workload.ts";

/**
 * Records what a worker's client does above znodes (model/recipes/client-operations.ts), one operation at a time.
 * An operation that is begun while another is open, and the end of one that is not, are mistakes of the workload.
 */
export class ClientOperations {
  readonly process: string;
  readonly #worker: Worker;
  #open: { readonly f: string; readonly value: Json } | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.process = clientProcess(worker.number);
  }

  /** The operation that is under way, by its name. */
  get open(): string | undefined {
    return this.#open?.f;
  }

  /** `session`, where the operation is told by whom it is begun. */
  invoke(f: string, value: Json = null, session?: string): void {
    if (this.#open !== undefined) throw new Error(`${this.process} begins ${f} within ${this.#open.f}`);
    this.#open = { f, value };
    this.#record("invoke", f, value, doneBy(session));
  }

  /** Without a value, with that of the invocation. */
  ok(session: string | undefined, value?: Json): void {
    this.#end("ok", value, doneBy(session));
  }

  fail(error: string, value?: Json): void {
    this.#end("fail", value, { error });
  }

  info(error: string, value?: Json): void {
    this.#end("info", value, { error });
  }

  /** Tells what befell the client. */
  tell(f: string, value: Json = null): void {
    this.#record("info", f, value, {});
  }

  #end(type: "ok" | "fail" | "info", value: Json | undefined, evidence: object): void {
    const open = this.#open;
    if (open === undefined) throw new Error(`${this.process} ends an operation, and none is open`);
    this.#open = undefined;
    this.#record(type, open.f, value ?? open.value, evidence);
  }

  #record(type: "invoke" | "ok" | "fail" | "info", f: string, value: Json, evidence: object): void {
    this.#worker.world.record({ process: this.process, type, f, value, ...evidence });
  }
}
