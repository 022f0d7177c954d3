import { z } from "zod";
import {
  configurationMistakes,
  readerDecisions,
  writerDecisions,
  type ReaderDecisions,
  type ReaderState,
  type WriterState,
} from "../../model/index.ts";
import { ClientOperations } from "../client-operations.ts";
import { RecipeClient } from "../recipe-client.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { dataBytes, filled, milliseconds, mistake } from "./options.ts";
import { configurationParent, configurationPath, root } from "./paths.ts";
import { make } from "./setup.ts";
import { shared } from "./shared.ts";
import type { Settle, Worker, Workload } from "./workload.ts";

export interface ConfigurationOptions {
  /** How long the writer rests between two updates: up to this many ms. */
  readonly restMs: number;
  /** Bytes of a configuration. */
  readonly size: number;
  readonly mistake: string;
}

/**
 * Configuration in a znode: the first client writes it again and again, all others keep it with a watch. In the end, when
 * nobody writes any more, every reader has to come to have the last one.
 */
export const configuration: Workload<ConfigurationOptions> = {
  ...titled("configuration"),
  options: z.strictObject({
    restMs: milliseconds(40),
    size: dataBytes,
    mistake: mistake("watch-after-read", "watch-lost-with-session"),
  }),

  async setup(session) {
    for (const path of [root, configurationParent]) await make(session, path, "");
  },

  work(worker, options) {
    const writing = shared(worker.world, "configuration", () => ({ isOver: false }));
    return worker.number === 0 ? write(worker, options, writing) : read(worker, options, writing);
  },

  async read(session) {
    await session.perform({ op: "getData", path: configurationPath }, { synced: true, final: true });
  },

  checks: workloadChecks.configuration,
};

interface Writing {
  isOver: boolean;
}

async function write(worker: Worker, options: ConfigurationOptions, writing: Writing): Promise<Settle> {
  const { random, world } = worker;
  const operations = new ClientOperations(worker);
  const client = new RecipeClient(worker, {
    decisions: writerDecisions(configurationPath),
    onDecision: (state: WriterState, before: WriterState) => {
      if (before.phase !== "idle" && state.phase === "idle") operations.ok(client.session.id);
    },
  });
  let writes = 0;
  const update = async (): Promise<void> => {
    if (client.state.phase === "idle") {
      const number = writes++;
      operations.invoke("write", number);
      client.command("write", filled(`${number}`, options.size));
    }
    await client.run(({ phase }) => phase === "idle");
  };
  while (await worker.pace()) {
    await update();
    await world.sleep(random.between(0, options.restMs));
  }
  return async () => {
    await update();
    await update();
    writing.isOver = true;
    await client.close();
  };
}

function mistaken(recipe: ReaderDecisions, name: string): ReaderDecisions {
  if (name === "watch-after-read") return configurationMistakes.watchesLate(recipe, configurationPath);
  return name === "watch-lost-with-session" ? configurationMistakes.forgetsWatch(recipe) : recipe;
}

async function read(worker: Worker, options: ConfigurationOptions, writing: Writing): Promise<Settle> {
  const { world } = worker;
  const operations = new ClientOperations(worker);
  let isCatchingUp = false;
  const client = new RecipeClient(worker, {
    decisions: mistaken(readerDecisions(configurationPath), options.mistake),
    onDecision: (state: ReaderState) => {
      if (isCatchingUp) return;
      if (state.phase === "reading" && operations.open === undefined) operations.invoke("read");
      if (state.phase === "settled" && operations.open !== undefined)
        operations.ok(client.session.id, valueOf(state));
    },
  });
  client.command("read", "");
  while (!world.stopping) await client.run(() => false);
  return async () => {
    while (!writing.isOver && !world.stopping) await client.run(() => false, 100);
    await client.run(({ phase }) => phase === "settled");
    if (operations.open !== undefined) operations.info("time is up");
    isCatchingUp = true;
    operations.invoke("catch-up");
    while (!world.stopping && !(await isLast(client))) await client.run(() => false, 100);
    const { state } = client;
    if (!world.stopping && state.phase === "settled") operations.ok(client.session.id, valueOf(state));
    await client.close();
  };
}

function valueOf({ version, data }: Extract<ReaderState, { phase: "settled" }>): {
  readonly version: number;
  readonly number: number;
} {
  return { version, number: version === -1 ? -1 : Number.parseInt(data, 10) };
}

/** Whether what a reader has is what a synced read shows. */
async function isLast(client: RecipeClient<ReaderState, "read">): Promise<boolean> {
  if (client.state.phase !== "settled") return false;
  const read = await client.session.perform({ op: "exists", path: configurationPath }, { synced: true });
  const { state } = client;
  if (state.phase !== "settled") return false;
  if (read.type === "fail") return read.error === "NoNode" && state.version === -1;
  return read.type === "ok" && read.answer.result.stat?.version === state.version;
}
