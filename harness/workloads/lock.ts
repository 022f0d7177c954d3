import { z } from "zod";
import {
  lockVariants,
  readWriteLockVariants,
  type Decisions,
  type LockChange,
  type LockState,
  type RecipeEvent,
} from "../../model/index.ts";
import { ClientOperations } from "../client-operations.ts";
import { RecipeClient } from "../recipe-client.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, milliseconds, mistake, probability } from "./options.ts";
import { guardOfLock, lockPath, root } from "./paths.ts";
import { make } from "./setup.ts";
import type { Worker, Workload } from "./workload.ts";

export interface LockOptions {
  /** Locks; each client uses one of them. */
  readonly keys: number;
  /** How long a client holds a lock, and how long it rests before it asks again. */
  readonly holdMs: number;
  readonly restMs: number;
  /** How often a client crashes while it holds. */
  readonly crash: number;
  /** How often a lock is asked for to read, where it can be. */
  readonly reads: number;
  /** A variant of the model, in place of the recipe. */
  readonly mistake: string;
}

type Kind = "lock" | "read-write-lock";
type Variants = { readonly [name: string]: { readonly change: LockChange } };

const common = {
  keys: count(2, 1, 1000),
  holdMs: milliseconds(30),
  restMs: milliseconds(60),
  crash: probability(0.01),
};

/** All but one that needs a client that learns of its session's end while it believes that it holds: here it is told of the disconnection before. */
function mistakesOf(variants: Variants): z.ZodType<string> {
  return mistake(...Object.keys(variants).filter((name) => name !== "recipe" && name !== "fixed-path"));
}

const lockOptions = z.strictObject({ ...common, mistake: mistakesOf(lockVariants) });
const readWriteOptions = z.strictObject({
  ...common,
  reads: probability(0.7),
  mistake: mistakesOf(readWriteLockVariants),
});

/**
 * The recipe's lock: acquire, write what it guards, release or crash. What is guarded is a znode, into which holders
 * write their fencing token, without a condition: nothing but the lock keeps them apart.
 */
export const lock: Workload<LockOptions> = {
  ...titled("lock"),
  options: lockOptions.transform((options) => ({ ...options, reads: 0 })),
  ...workOf("lock", lockVariants),
  checks: workloadChecks.lock,
};

/** The same for a lock that readers share: they read what it guards several times, and see no change. */
export const readWriteLock: Workload<LockOptions> = {
  ...titled("read-write-lock"),
  options: readWriteOptions,
  ...workOf("read-write-lock", readWriteLockVariants),
  checks: workloadChecks["read-write-lock"],
};

function workOf(kind: Kind, variants: Variants): Pick<Workload<LockOptions>, "setup" | "work" | "read"> {
  return {
    async setup(session, { keys }) {
      await make(session, root, "");
      for (let key = 0; key < keys; key++) {
        await make(session, lockPath(`${kind}-${key}`), "");
        await make(session, guardOfLock(`${kind}-${key}`), "0");
      }
    },

    async work(worker, options) {
      const name = `${kind}-${worker.number % options.keys}`;
      const change = variants[options.mistake === "" ? "recipe" : options.mistake]?.change;
      if (change === undefined) throw new RangeError(`there is no variant ${options.mistake}`);
      const locker = new Locker(worker, options, name, change(lockPath(name)));
      while (await worker.pace()) await locker.holdOnce();
      return () => locker.settle();
    },

    async read(session, _server, { keys }) {
      for (let key = 0; key < keys; key++) {
        // Not the queue: sessions of crashed clients may still be about to expire.
        const path = guardOfLock(`${kind}-${key}`);
        await session.perform({ op: "getData", path }, { synced: true, final: true });
      }
    },
  };
}

type Holding = Extract<LockState, { phase: "holding" | "waiting" | "releasing" }>;

/** Reads, or writes, of what is guarded while a lock is held. */
const usesPerHold = 2;

/** Of those that can give up: how long they wait. */
const patienceMs = 200;

const isSettled = ({ phase }: LockState): boolean => phase === "holding" || phase === "free";

/** One client that takes a lock, again and again. */
class Locker {
  readonly #worker: Worker;
  readonly #options: LockOptions;
  readonly #name: string;
  readonly #operations: ClientOperations;
  readonly #client: RecipeClient<LockState, string>;

  constructor(worker: Worker, options: LockOptions, name: string, decisions: Decisions<LockState>) {
    this.#worker = worker;
    this.#options = options;
    this.#name = name;
    this.#operations = new ClientOperations(worker);
    this.#client = new RecipeClient(worker, {
      decisions,
      onDecision: (state, before, event) => this.#note(state, before, event),
    });
  }

  /** From asking for it to having released it. */
  async holdOnce(): Promise<void> {
    const { random, world } = this.#worker;
    await world.sleep(random.between(0, this.#options.restMs));
    await this.#acquireAndRelease(this.#options.crash);
  }

  /** Finishes, and takes the lock once more. */
  async settle(): Promise<void> {
    await this.#acquireAndRelease(0);
    await this.#acquireAndRelease(0);
    await this.#client.close();
  }

  async #acquireAndRelease(crash: number): Promise<void> {
    const { random, world } = this.#worker;
    if (this.#client.state.phase === "free") {
      const mode = random.chance(this.#options.reads) ? "acquire-read" : "acquire-write";
      this.#client.command(mode, random.hex(16));
    }
    while (await this.#untilSettled()) {
      const { state } = this.#client;
      if (state.phase !== "holding") return;
      await this.#use(state as Holding);
      if (this.#client.state !== state) continue;
      if (!world.stopping && random.chance(crash)) {
        this.#operations.tell("lost", this.#name);
        this.#client.crash();
        return;
      }
      this.#client.command("release", random.hex(16));
    }
  }

  /** False where the run ends before. */
  async #untilSettled(): Promise<boolean> {
    while (!(await this.#client.run(isSettled, patienceMs))) {
      if (this.#worker.world.stopping) return false;
      if (this.#client.commands.includes("give-up")) this.#client.command("give-up", "");
    }
    return true;
  }

  /** Uses what is guarded for as long as it holds the lock. */
  async #use(holding: Holding): Promise<void> {
    const { random, world } = this.#worker;
    const { session } = this.#client;
    const path = guardOfLock(this.#name);
    const own = await session.perform({ op: "exists", path: `${lockPath(this.#name)}/${holding.node}` });
    const token = own.type === "ok" ? own.answer.result.stat?.czxid : undefined;
    for (let use = 0; use < usesPerHold && this.#client.state === holding; use++) {
      if (holding.mode === "read") await session.perform({ op: "getData", path });
      else if (token !== undefined)
        await session.perform({ op: "setData", path, data: String(token), version: -1 });
      await world.sleep(random.between(0, this.#options.holdMs) / usesPerHold);
    }
  }

  /** Tells what the client believes. */
  #note(state: LockState, before: LockState, event: RecipeEvent): void {
    const [name, operations, session] = [this.#name, this.#operations, this.#client.session.id];
    if (before.phase === "holding" && state.phase !== "holding") {
      if (event.type === "command") operations.invoke(`release-${before.mode}`, name);
      else operations.tell("lost", name);
    }
    switch (state.phase) {
      case "holding":
        if (operations.open !== undefined) operations.ok(session);
        return;
      case "free":
        if (operations.open === undefined) return;
        if (event.type === "answer" && operations.open.startsWith("release")) operations.ok(session);
        else operations.info("the session expired");
        return;
      case "releasing":
        if (operations.open?.startsWith("acquire") === true) operations.info("it gave up");
        return;
      default:
        if (operations.open === undefined) operations.invoke(`acquire-${state.mode}`, name);
    }
  }
}
