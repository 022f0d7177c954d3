import { z } from "zod";
import type { Session } from "../session.ts";
import { registerChecks } from "./checks.ts";
import { make } from "./setup.ts";
import type { Workload } from "./workload.ts";

export interface RegisterOptions {
  /** Znodes that are read and written. */
  readonly keys: number;
  /** Of 100 operations of a worker, about how many are of each kind. */
  readonly getData: number;
  readonly setData: number;
  readonly setDataVersion: number;
  readonly syncGetData: number;
  readonly watch: number;
  readonly move: number;
}

const weight = (usual: number): z.ZodType<number> => z.coerce.number().min(0).max(1000).default(usual);

const root = "/zabcheck";
const pathOf = (key: number): string => `${root}/register-${key}`;

/**
 * Several registers, each a znode that every worker reads and writes: setData with and without an expected version,
 * getData, sync followed by getData, reads that leave a watch. Now and then a session moves to another server by
 * its own will, as clients do that balance load. Every value is written once only, so that a read names its write.
 */
export const register: Workload<RegisterOptions> = {
  name: "register",
  summary:
    "several znodes: setData with and without version, getData, sync+getData, watches, sessions that move",
  options: z.strictObject({
    keys: z.coerce.number().int().min(1).max(1000).default(5),
    getData: weight(40),
    setData: weight(20),
    setDataVersion: weight(15),
    syncGetData: weight(10),
    watch: weight(10),
    move: weight(2),
  }),

  async setup(session, { keys }) {
    await make(session, root, "");
    for (let key = 0; key < keys; key++) await make(session, pathOf(key), "initial");
  },

  async work(worker, options) {
    const session = worker.session();
    const versions = new Map<string, number>();
    let writes = 0;
    const { keys, ...weights } = options;
    while (await worker.pace()) {
      const path = pathOf(worker.random.below(keys));
      const value = `${worker.number}.${writes}`;
      switch (worker.random.weighted(weights)) {
        case "getData":
          await read(session, path, versions, false);
          break;
        case "watch":
          await read(session, path, versions, true);
          break;
        case "syncGetData":
          await read(session, path, versions, false, true);
          break;
        case "setData":
          writes++;
          await write(session, path, value, -1, versions);
          break;
        case "setDataVersion":
          writes++;
          await write(session, path, value, versions.get(path) ?? 0, versions);
          break;
        case "move":
          session.move();
          break;
      }
    }
    await session.close();
  },

  async read(session, _server, { keys }) {
    for (let key = 0; key < keys; key++) {
      await session.perform({ op: "getData", path: pathOf(key) }, { synced: true, final: true });
    }
  },

  checks: registerChecks,
};

async function read(
  session: Session,
  path: string,
  versions: Map<string, number>,
  watch: boolean,
  synced = false,
): Promise<void> {
  const performed = await session.perform({ op: "getData", path, ...(watch ? { watch } : {}) }, { synced });
  if (performed.type === "ok") versions.set(path, performed.answer.result.stat?.version ?? 0);
}

async function write(
  session: Session,
  path: string,
  data: string,
  version: number,
  versions: Map<string, number>,
): Promise<void> {
  const performed = await session.perform({ op: "setData", path, data, version });
  if (performed.type === "ok") versions.set(path, performed.answer.result.stat?.version ?? 0);
}
