import { z } from "zod";
import { ClientOperations } from "../client-operations.ts";
import type { Session } from "../session.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, mistake, weight } from "./options.ts";
import { listPrefix, root } from "./paths.ts";
import { make } from "./setup.ts";
import type { Worker, Workload } from "./workload.ts";

export interface AppendListOptions {
  /** Lists at a time. */
  readonly keys: number;
  /** Elements after which a list is full, and another begins. */
  readonly length: number;
  readonly append: number;
  readonly read: number;
  readonly mistake: string;
}

/** How often an append reads the list again when another was faster. */
const attemptsMax = 20;

/**
 * Lists that grow at their end: a client reads a list and writes it with one element more, by setData on the version
 * that it has read. A mistaken one writes whatever the version is by then.
 */
export const appendList: Workload<AppendListOptions> = {
  ...titled("append-list"),
  options: z.strictObject({
    keys: count(5, 1, 1000),
    length: count(100, 1, 10_000),
    append: weight(60),
    read: weight(40),
    mistake: mistake("unversioned"),
  }),

  async setup(session, { keys }) {
    await make(session, root, "");
    for (let key = 0; key < keys; key++) await make(session, pathOf(key, 0), "");
  },

  async work(worker, { keys, append, read, ...options }) {
    const appender = new Appender(worker, options);
    while (await worker.pace()) {
      const key = worker.random.below(keys);
      if (worker.random.weighted({ append, read }) === "append") await appender.append(key);
      else await appender.read(key);
    }
    await appender.session.close();
  },

  async read(session, _server, { keys }) {
    for (let key = 0; key < keys; key++) {
      for (let generation = 0; ; generation++) {
        const path = pathOf(key, generation);
        const read = await session.perform({ op: "getData", path }, { synced: true, final: true });
        if (read.type !== "ok") break;
      }
    }
  },

  checks: workloadChecks["append-list"],
};

function pathOf(key: number, generation: number): string {
  return `${listPrefix}${key}-${generation}`;
}

interface List {
  readonly elements: readonly string[];
  readonly version: number;
}

/** One client that appends and reads. */
class Appender {
  readonly session: Session;
  readonly #worker: Worker;
  readonly #options: Pick<AppendListOptions, "length" | "mistake">;
  readonly #operations: ClientOperations;
  /** Which list of a key is not full, as far as is known. */
  readonly #generations = new Map<number, number>();
  #appends = 0;

  constructor(worker: Worker, options: Pick<AppendListOptions, "length" | "mistake">) {
    this.#worker = worker;
    this.#options = options;
    this.session = worker.session();
    this.#operations = new ClientOperations(worker);
  }

  async read(key: number): Promise<void> {
    const path = this.#pathOf(key);
    this.#operations.invoke("read", { list: path });
    const list = await this.#load(path);
    if (list === undefined) this.#operations.fail("not read");
    else this.#operations.ok(this.session.id, { list: path, elements: list.elements });
  }

  async append(key: number): Promise<void> {
    const path = this.#pathOf(key);
    const element = `${this.#worker.number}.${this.#appends++}`;
    this.#operations.invoke("append", { list: path, element });
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const list = await this.#load(path);
      if (list === undefined) break;
      if (list.elements.length >= this.#options.length) {
        this.#operations.fail("the list is full");
        await this.#begin(key);
        return;
      }
      const data = [...list.elements, element].join(" ");
      const version = this.#options.mistake === "" ? list.version : -1;
      const written = await this.session.perform({ op: "setData", path, data, version });
      if (written.type === "ok") return this.#operations.ok(this.session.id);
      if (written.type === "info") return this.#operations.info(written.reason);
    }
    this.#operations.fail("not written");
  }

  /** Undefined where it could not be read. */
  async #load(path: string): Promise<List | undefined> {
    const read = await this.session.perform({ op: "getData", path });
    if (read.type !== "ok") return undefined;
    const { data, stat } = read.answer.result;
    const elements = (data ?? "").split(" ").filter((element) => element !== "");
    return { elements, version: stat?.version ?? -1 };
  }

  /** The next list of the key; somebody may have made it. */
  async #begin(key: number): Promise<void> {
    const generation = (this.#generations.get(key) ?? 0) + 1;
    const path = pathOf(key, generation);
    const made = await this.session.perform({ op: "create", path, data: "", mode: "persistent" });
    if (made.type === "ok" || (made.type === "fail" && made.error === "NodeExists"))
      this.#generations.set(key, generation);
  }

  #pathOf(key: number): string {
    return pathOf(key, this.#generations.get(key) ?? 0);
  }
}
