import { connectToServer } from "./connection.ts";
import { FakeServer } from "./fake-server.ts";

// Requests a second through loopback, client and server in one process: `node --experimental-strip-types` or compiled.

const stat = {
  czxid: 1,
  mzxid: 2,
  pzxid: 1,
  ctime: 1_700_000_000_000,
  mtime: 1_700_000_000_000,
  version: 1,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: "0x0",
  dataLength: 5,
  numChildren: 0,
};

async function requestsPerSecond(clients: number, pipelined: number, requests: number): Promise<number> {
  const server = await FakeServer.start({
    onRequest: (request) =>
      request.op === "getData"
        ? { error: null, zxid: 2, result: { data: "value", stat } }
        : request.op === "setData"
          ? { error: null, zxid: 2, result: { stat } }
          : { error: null, zxid: 2, result: {} },
  });
  const connections = await Promise.all(
    Array.from({ length: clients }, async () => {
      const result = await connectToServer({
        server: "fake",
        host: "127.0.0.1",
        port: server.port,
        sessionTimeoutMs: 10_000,
      });
      if (!result.connected) throw new Error(result.reason);
      return result.client;
    }),
  );
  const started = performance.now();
  const each = Math.ceil(requests / clients / pipelined);
  await Promise.all(
    connections.flatMap((client) =>
      Array.from({ length: pipelined }, async () => {
        for (let count = 0; count < each; count += 1) {
          const outcome = await client.request(
            count % 2 === 0
              ? { op: "getData", path: "/register/1" }
              : { op: "setData", path: "/register/1", data: `value ${count}`, version: -1 },
          );
          if (outcome.outcome !== "answered") throw new Error(outcome.reason);
        }
      }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(connections.map((client) => client.close()));
  await server.stop();
  return (each * clients * pipelined) / seconds;
}

for (const [clients, pipelined] of [
  [10, 1],
  [10, 16],
  [50, 4],
] as const) {
  const rates: number[] = [];
  for (let run = 0; run < 5; run += 1) rates.push(await requestsPerSecond(clients, pipelined, 100_000));
  rates.sort((a, b) => a - b);
  const [least, , median, , most] = rates.map(Math.round);
  console.log(
    `${clients} clients, ${pipelined} in flight each: median ${median} requests/s (${least} to ${most})`,
  );
}
