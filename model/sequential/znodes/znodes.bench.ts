import { RequestPreparation, type WriteRequest } from "./prepare.ts";
import { ZnodeServer } from "./server.ts";
import type { TransactionHeader } from "./transactions.ts";

/** Prints how many writes a second one core prepares and applies, and how many reads it answers. */
function run(operations: number): { writes: number; reads: number } {
  const server = new ZnodeServer<string>({ deliver: () => {} });
  const leader = new RequestPreparation(server.tree, { checkSessions: false });
  const write = (zxid: number, request: WriteRequest): void => {
    const header: TransactionHeader = { session: "0x1", cxid: zxid, zxid, timeMs: zxid };
    server.apply(header, leader.prepare(header, request));
    leader.applied(zxid);
  };
  write(1, { op: "create", path: "/r", data: null, mode: "persistent" });
  for (let i = 0; i < 100; i++) {
    write(2 + i, { op: "create", path: `/r/${i}`, data: "0", mode: "persistent" });
  }
  let start = performance.now();
  for (let i = 0; i < operations; i++) {
    write(102 + i, { op: "setData", path: `/r/${i % 100}`, data: String(i), version: -1 });
  }
  const writes = operations / ((performance.now() - start) / 1000);
  start = performance.now();
  for (let i = 0; i < operations; i++) server.answer({ op: "getData", path: `/r/${i % 100}` }, "c");
  return { writes, reads: operations / ((performance.now() - start) / 1000) };
}

const runs = Array.from({ length: 7 }, () => run(500_000));
for (const what of ["writes", "reads"] as const) {
  const rates = runs.map((r) => r[what]).sort((a, b) => a - b);
  const show = (i: number): string => `${((rates[i] ?? 0) / 1e6).toFixed(2)} M/s`;
  console.log(`${what}: min ${show(0)}, median ${show(3)}, max ${show(6)}`);
}
