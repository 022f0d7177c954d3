import { z } from "zod";
import type { Session } from "../session.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, dataBytes, filled, weight } from "./options.ts";
import { initialValue, registerPrefix, root } from "./paths.ts";
import { make } from "./setup.ts";
import type { Workload } from "./workload.ts";

export interface RegisterOptions {
  /** Znodes that are read and written. */
  readonly keys: number;
  /** Bytes of a value. */
  readonly size: number;
  /** Of 100 operations of a worker, about how many are of each kind. */
  readonly getData: number;
  readonly setData: number;
  readonly setDataVersion: number;
  readonly syncGetData: number;
  readonly watch: number;
  readonly move: number;
}

const pathOf = (key: number): string => `${registerPrefix}${key}`;

/**
 * Several registers, each a znode that every worker reads and writes: setData with and without an expected version,
 * getData, sync followed by getData, reads that leave a watch. Now and then a session moves to another server by
 * its own will, as clients do that balance load. Every value is written once only, so that a read names its write.
 */
export const register: Workload<RegisterOptions> = {
  ...titled("register"),
  options: z.strictObject({
    keys: count(5, 1, 1000),
    size: dataBytes,
    getData: weight(40),
    setData: weight(20),
    setDataVersion: weight(15),
    syncGetData: weight(10),
    watch: weight(10),
    move: weight(2),
  }),

  async setup(session, { keys }) {
    await make(session, root, "");
    for (let key = 0; key < keys; key++) await make(session, pathOf(key), initialValue);
  },

  async work(worker, options) {
    const session = worker.session();
    const versions = new Map<string, number>();
    let writes = 0;
    const { keys, size, ...weights } = options;
    while (await worker.pace()) {
      const path = pathOf(worker.random.below(keys));
      const value = filled(`${worker.number}.${writes}`, size);
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

  checks: workloadChecks.register,
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
