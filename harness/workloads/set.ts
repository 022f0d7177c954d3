import { z } from "zod";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, dataBytes, filled, weight } from "./options.ts";
import { root, setPath } from "./paths.ts";
import { make } from "./setup.ts";
import type { Workload } from "./workload.ts";

export interface SetOptions {
  /** Elements that there can be. */
  readonly keys: number;
  /** Bytes of an element's data. */
  readonly size: number;
  readonly add: number;
  readonly remove: number;
  readonly contains: number;
  readonly list: number;
  readonly syncList: number;
}

/** A set: its elements are the children of a znode. Whoever adds or removes one is told whether it was there. */
export const set: Workload<SetOptions> = {
  ...titled("set"),
  options: z.strictObject({
    keys: count(20, 1, 5000),
    size: dataBytes,
    add: weight(30),
    remove: weight(30),
    contains: weight(15),
    list: weight(15),
    syncList: weight(10),
  }),

  async setup(session) {
    for (const path of [root, setPath]) await make(session, path, "");
  },

  async work(worker, { keys, size, ...weights }) {
    const session = worker.session();
    for (let adds = 0; await worker.pace();) {
      const path = `${setPath}/${worker.random.below(keys)}`;
      switch (worker.random.weighted(weights)) {
        case "add": {
          const data = filled(`${worker.number}.${adds++}`, size);
          await session.perform({ op: "create", path, data, mode: "persistent" });
          break;
        }
        case "remove":
          await session.perform({ op: "delete", path, version: -1 });
          break;
        case "contains":
          await session.perform({ op: "exists", path });
          break;
        case "list":
          await session.perform({ op: "getChildren", path: setPath });
          break;
        case "syncList":
          await session.perform({ op: "getChildren", path: setPath }, { synced: true });
          break;
      }
    }
    await session.close();
  },

  async read(session) {
    await session.perform({ op: "getChildren", path: setPath }, { synced: true, final: true });
  },

  checks: workloadChecks.set,
};
