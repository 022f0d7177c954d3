import { z } from "zod";
import {
  consumerDecisions,
  queueMistakes,
  type ConsumerCommand,
  type ConsumerState,
  type Delivery,
  type RecipeEvent,
} from "../../model/index.ts";
import { ClientOperations } from "../client-operations.ts";
import { RecipeClient } from "../recipe-client.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, mistake, weight } from "./options.ts";
import { queuePaths, root } from "./paths.ts";
import { make } from "./setup.ts";
import type { Worker, Workload } from "./workload.ts";

export interface QueueOptions {
  /** When an element is deleted: before it is processed, after, or in one multi with the record of that. */
  readonly delivery: Delivery;
  /** How often a client puts an element in, and tries to take one out. */
  readonly put: number;
  readonly take: number;
  /** Whoever sees so many elements puts none in. */
  readonly length: number;
  readonly mistake: string;
}

/**
 * The recipe's queue: elements are put in and taken out by everybody. An attempt to take one that finds another client
 * faster, or nothing, has done nothing: lists of children may be stale.
 */
export const queue: Workload<QueueOptions> = {
  ...titled("queue"),
  options: z.strictObject({
    delivery: z.enum(["at-most-once", "at-least-once", "multi"]).default("at-most-once"),
    put: weight(40),
    take: weight(60),
    length: count(50, 1, 10_000),
    mistake: mistake("careless"),
  }),

  async setup(session) {
    for (const path of [root, queuePaths.queue, queuePaths.done]) await make(session, path, "");
  },

  async work(worker, { put, take, ...options }) {
    const consumer = new Consumer(worker, options);
    while (await worker.pace()) {
      if (worker.random.weighted({ put, take }) === "put" && consumer.seen < options.length)
        await consumer.put();
      else await consumer.take();
    }
    return () => consumer.settle();
  },

  async read(session) {
    await session.perform({ op: "getChildren", path: queuePaths.queue }, { synced: true, final: true });
  },

  checks: workloadChecks.queue,
};

/** One client of the queue. */
class Consumer {
  readonly #worker: Worker;
  readonly #operations: ClientOperations;
  readonly #client: RecipeClient<ConsumerState, ConsumerCommand>;
  #puts = 0;
  /** Elements in the last list. */
  seen = 0;

  constructor(worker: Worker, { delivery, mistake: name }: Pick<QueueOptions, "delivery" | "mistake">) {
    this.#worker = worker;
    this.#operations = new ClientOperations(worker);
    const recipe = consumerDecisions(queuePaths, delivery);
    this.#client = new RecipeClient(worker, {
      decisions: name === "" ? recipe : queueMistakes.takesAny(recipe, queuePaths.queue),
      onDecision: (state, before, event) => this.#note(state, before, event),
    });
  }

  async put(): Promise<void> {
    const element = `${this.#worker.number}.${this.#puts++}`;
    this.#operations.invoke("enqueue", element);
    this.#client.command("put", element);
    await this.#untilIdle();
  }

  async take(): Promise<void> {
    this.#operations.invoke("dequeue");
    this.#client.command("take", "");
    await this.#untilIdle();
  }

  /** Puts one more in, and takes out until it finds nothing. */
  async settle(): Promise<void> {
    await this.#untilIdle();
    if (this.#client.commands.includes("put")) await this.put();
    do await this.take();
    while (this.seen > 0 && !this.#worker.world.stopping);
    await this.#client.close();
  }

  async #untilIdle(): Promise<void> {
    while (await this.#client.run(({ phase }) => phase === "idle" || phase === "processing")) {
      if (this.#client.state.phase !== "processing") return;
      this.#client.command("processed", "");
    }
  }

  #note(state: ConsumerState, before: ConsumerState, event: RecipeEvent): void {
    const operations = this.#operations;
    const session = this.#client.session.id;
    const isAnswered = event.type === "answer";
    const isDone = event.type === "answer" && event.answer.error === null;
    if (before.phase === "listing" && event.type === "answer" && event.answer.error === null)
      this.seen = event.answer.children.length;
    switch (before.phase) {
      case "putting":
        if (isDone) operations.ok(session);
        else if (isAnswered) operations.fail("refused");
        else operations.info("not answered");
        return;
      case "listing":
        if (state.phase === "idle") operations.fail(isAnswered ? "nothing there" : "not answered");
        return;
      case "deleting":
      case "moving": {
        const element = before.element.replace(/-\d{10}$/, "");
        if (state.phase === "processing" || isDone) operations.ok(session, element);
        else if (isAnswered) operations.fail("another was faster");
        else operations.info("not answered", element);
        return;
      }
      case "processing":
        // At least once: it has been processed, and its znode may still be there for another.
        if (state.phase === "idle" && operations.open !== undefined) operations.fail("the session expired");
        return;
      default:
        return;
    }
  }
}
