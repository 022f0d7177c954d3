import { z } from "zod";
import { ClientOperations } from "../client-operations.ts";
import type { Session } from "../session.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, mistake, weight } from "./options.ts";
import { root, sessionsPath } from "./paths.ts";
import { make } from "./setup.ts";
import type { Worker, Workload } from "./workload.ts";

export interface SessionsOptions {
  /** Ephemeral znodes that a session may have. */
  readonly keys: number;
  readonly create: number;
  readonly remove: number;
  /** How often a client looks for a znode of its own, and watches those of others. */
  readonly look: number;
  readonly watch: number;
  /** How often its session moves to another server, is left to expire, and is closed. */
  readonly move: number;
  readonly crash: number;
  readonly close: number;
  readonly mistake: string;
}

/**
 * The life of sessions: they make ephemeral znodes and watch those of others, move from server to server, are left to
 * expire, and are closed. Their znodes stay as long as they, and are gone in the end.
 */
export const sessions: Workload<SessionsOptions> = {
  ...titled("sessions"),
  options: z.strictObject({
    keys: count(5, 1, 100),
    create: weight(20),
    remove: weight(5),
    look: weight(35),
    watch: weight(25),
    move: weight(10),
    crash: weight(1),
    close: weight(2),
    mistake: mistake("persistent"),
  }),

  async setup(session) {
    for (const path of [root, sessionsPath]) await make(session, path, "");
  },

  async work(worker, { keys, mistake: name, ...weights }) {
    const owner = new Owner(worker, keys, name !== "persistent");
    while (await worker.pace()) await owner.act(worker.random.weighted(weights));
    return () => owner.settle();
  },

  async read(session) {
    await session.perform({ op: "getChildren", path: sessionsPath }, { synced: true, final: true });
  },

  checks: workloadChecks.sessions,
};

type Act = "create" | "remove" | "look" | "watch" | "move" | "crash" | "close";

const lookAgainMs = 100;

/** One client, which has a session after the other. */
class Owner {
  readonly #worker: Worker;
  readonly #keys: number;
  readonly #ephemeral: boolean;
  readonly #session: Session;
  /** Znodes that its present session has made. */
  #own: string[] = [];
  #made = 0;

  constructor(worker: Worker, keys: number, ephemeral: boolean) {
    this.#worker = worker;
    this.#keys = keys;
    this.#ephemeral = ephemeral;
    this.#session = worker.session({ onExpired: () => (this.#own = []) });
  }

  async act(act: Act): Promise<void> {
    const session = this.#session;
    const one = this.#own.length === 0 ? undefined : this.#worker.random.pick(this.#own);
    switch (act) {
      case "create":
        if (this.#own.length < this.#keys) await this.#create();
        return;
      case "remove":
        if (one === undefined) return;
        this.#own = this.#own.filter((path) => path !== one);
        await session.perform({ op: "delete", path: one, version: -1 });
        return;
      case "look":
        if (one !== undefined) await session.perform({ op: "exists", path: one });
        return;
      case "watch":
        return this.#watch();
      case "move":
        return session.move();
      case "crash":
        this.#own = [];
        return session.crash();
      case "close":
        this.#own = [];
        return session.close();
    }
  }

  /** Ends its session, and looks with another until every ephemeral znode of all is gone. */
  async settle(): Promise<void> {
    const { world } = this.#worker;
    const operations = new ClientOperations(this.#worker);
    await this.act("close");
    operations.invoke("catch-up");
    while (!world.stopping) {
      const list = await this.#session.perform({ op: "getChildren", path: sessionsPath }, { synced: true });
      if (list.type === "ok" && list.answer.result.children?.length === 0) {
        operations.ok(this.#session.id);
        break;
      }
      await world.sleep(lookAgainMs);
    }
    await this.#session.close();
  }

  async #create(): Promise<void> {
    const path = `${sessionsPath}/${this.#worker.number}.${this.#made++}`;
    const mode = this.#ephemeral ? "ephemeral" : "persistent";
    const before = this.#session.id;
    const created = await this.#session.perform({ op: "create", path, data: "", mode });
    // Who had no session has one now.
    if (created.type === "ok" && (before === undefined || before === this.#session.id)) this.#own.push(path);
  }

  /** Watches the list, and one of those on it. */
  async #watch(): Promise<void> {
    const list = await this.#session.perform({ op: "getChildren", path: sessionsPath, watch: true });
    const children = list.type === "ok" ? (list.answer.result.children ?? []) : [];
    if (children.length === 0) return;
    const path = `${sessionsPath}/${this.#worker.random.pick(children)}`;
    await this.#session.perform({ op: "exists", path, watch: true });
  }
}
