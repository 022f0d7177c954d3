import { z } from "zod";
import { ClientOperations } from "../client-operations.ts";
import type { Session } from "../session.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, dataBytes, filled, weight } from "./options.ts";
import { casPrefix, initialValue, root } from "./paths.ts";
import { make } from "./setup.ts";
import type { Workload } from "./workload.ts";

export interface CompareAndSetOptions {
  /** Znodes that are read and written. */
  readonly keys: number;
  /** Bytes of a value. */
  readonly size: number;
  /** How often a client reads, reads after a sync, and exchanges what it last read. */
  readonly getData: number;
  readonly syncGetData: number;
  readonly cas: number;
}

/** What a client last read of a znode, or has written there. */
interface Known {
  readonly value: string;
  readonly version: number;
}

const pathOf = (key: number): string => `${casPrefix}${key}`;

/**
 * Compare-and-set on znodes: a client exchanges the value that it last knew of, by a setData on its version. Every
 * value is written once only, so that the same version is the same value: a refusal says that another value was there.
 */
export const compareAndSet: Workload<CompareAndSetOptions> = {
  ...titled("compare-and-set"),
  options: z.strictObject({
    keys: count(5, 1, 1000),
    size: dataBytes,
    getData: weight(30),
    syncGetData: weight(20),
    cas: weight(50),
  }),

  async setup(session, { keys }) {
    await make(session, root, "");
    for (let key = 0; key < keys; key++) await make(session, pathOf(key), initialValue);
  },

  async work(worker, { keys, size, ...weights }) {
    const session = worker.session();
    const operations = new ClientOperations(worker);
    const known = new Map<string, Known>();
    for (let written = 0; await worker.pace();) {
      const path = pathOf(worker.random.below(keys));
      const kind = worker.random.weighted(weights);
      const old = known.get(path);
      if (kind === "cas" && old !== undefined) {
        const value = filled(`${worker.number}.${written++}`, size);
        const now = await exchange(session, operations, path, old, value);
        if (now === undefined) known.delete(path);
        else known.set(path, now);
      } else {
        const synced = kind === "syncGetData";
        const performed = await session.perform({ op: "getData", path }, { synced });
        if (performed.type !== "ok") continue;
        const { data, stat } = performed.answer.result;
        known.set(path, { value: data ?? "", version: stat?.version ?? 0 });
      }
    }
    await session.close();
  },

  async read(session, _server, { keys }) {
    for (let key = 0; key < keys; key++)
      await session.perform({ op: "getData", path: pathOf(key) }, { synced: true, final: true });
  },

  checks: workloadChecks["compare-and-set"],
};

/** What is known of the znode then; undefined where it has to be read again. */
async function exchange(
  session: Session,
  operations: ClientOperations,
  path: string,
  old: Known,
  value: string,
): Promise<Known | undefined> {
  operations.invoke("cas", { path, old: old.value, new: value });
  const performed = await session.perform({ op: "setData", path, data: value, version: old.version });
  switch (performed.type) {
    case "ok":
      operations.ok(session.id);
      return { value, version: performed.answer.result.stat?.version ?? old.version + 1 };
    case "fail":
      if (performed.error === "BadVersion") operations.fail(performed.error);
      else operations.info(performed.error);
      return undefined;
    case "info":
      operations.info(performed.reason);
      return undefined;
    case "none":
      operations.info("no connection could be had");
      return undefined;
  }
}
