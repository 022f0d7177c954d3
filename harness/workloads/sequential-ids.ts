import { z } from "zod";
import {
  sequentialIds,
  uniqueIdsMistakes,
  versionIds,
  type RecipeEvent,
  type TakerDecisions,
  type TakerState,
} from "../../model/index.ts";
import { ClientOperations } from "../client-operations.ts";
import { RecipeClient } from "../recipe-client.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { mistake } from "./options.ts";
import { idsCounter, idsParent, root } from "./paths.ts";
import { make } from "./setup.ts";
import type { Worker, Workload } from "./workload.ts";

export interface SequentialIdsOptions {
  /** What ids are made of: the numbers of sequential znodes, the versions of a counter; or some clients each. */
  readonly source: "both" | IdSource;
  readonly mistake: string;
}

type IdSource = "names" | "versions";

/** Ids from the numbers of sequential znodes, and from the versions of a znode. An id without an answer is nobody's. */
export const sequentialIdsWorkload: Workload<SequentialIdsOptions> = {
  ...titled("sequential-ids"),
  options: z.strictObject({
    source: z.enum(["both", "names", "versions"]).default("both"),
    mistake: mistake("read-then-write"),
  }),

  async setup(session) {
    await make(session, root, "");
    await make(session, idsParent, "");
    await make(session, idsCounter, "0");
  },

  async work(worker, options) {
    const source = sourceOf(worker, options);
    const operations = new ClientOperations(worker);
    const client = new RecipeClient(worker, {
      decisions: decisionsOf(source, options),
      onDecision: (state, before, event) => note(operations, client.session.id, state, before, event),
    });
    const generate = async (): Promise<void> => {
      if (client.commands.includes("generate")) {
        operations.invoke("generate", source);
        client.command("generate", "");
      }
      await client.run(({ phase }) => phase !== "taking");
    };
    while (await worker.pace()) await generate();
    return async () => {
      await client.run(({ phase }) => phase !== "taking");
      await generate();
      await client.close();
    };
  },

  async read(session) {
    for (const path of [idsParent, idsCounter])
      await session.perform({ op: "getData", path }, { synced: true, final: true });
  },

  checks: workloadChecks["sequential-ids"],
};

function sourceOf(worker: Worker, { source }: SequentialIdsOptions): IdSource {
  if (source !== "both") return source;
  return worker.number % 2 === 0 ? "names" : "versions";
}

function decisionsOf(source: IdSource, options: SequentialIdsOptions): TakerDecisions {
  if (source === "names") return sequentialIds(idsParent);
  return options.mistake === "" ? versionIds(idsCounter) : uniqueIdsMistakes.readThenWrite(idsCounter);
}

function note(
  operations: ClientOperations,
  session: string | undefined,
  state: TakerState,
  before: TakerState,
  event: RecipeEvent,
): void {
  if (before.phase !== "taking" || state.phase === "taking") return;
  if (state.phase === "given") operations.ok(session, state.id);
  else if (event.type === "answer") operations.fail("refused");
  else operations.info("not answered");
}
