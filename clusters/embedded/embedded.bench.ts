import type { Client } from "../cluster.ts";
import { EmbeddedCluster } from "./embedded-cluster.ts";

/**
 * Client operations a second of wall time on one core: 3 servers, 10 clients that send one request after the other,
 * half of them setData and half getData, on 5 znodes. At least 50,000 are wanted.
 */
async function run(
  seed: number,
  operationsMax: number,
): Promise<{ seconds: number; cpuSeconds: number; virtual: number }> {
  const cluster = new EmbeddedCluster({ seed });
  await cluster.start();
  const clients: Client[] = [];
  for (let i = 0; i < 10; i++) {
    const server = cluster.servers[i % 3] as string;
    const result = await cluster.connect({ server, sessionTimeoutMs: 4000 });
    if (!result.connected) throw new Error(result.reason);
    clients.push(result.client);
  }
  for (let key = 0; key < 5; key++) {
    await clients[0]?.request({ op: "create", path: `/${key}`, data: "", mode: "persistent" });
  }
  let operations = 0;
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  const virtualBegan = cluster.clock.now();
  await Promise.all(
    clients.map(async (client, number) => {
      for (let i = number; operations < operationsMax; i++) {
        operations++;
        const path = `/${(i >> 1) % 5}`;
        const outcome = await client.request(
          i % 2 === 0
            ? { op: "getData", path }
            : { op: "setData", path, data: `${number} ${i}`, version: -1 },
        );
        if (outcome.outcome !== "answered" || outcome.answer.error !== null) throw new Error("failed");
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpuBegan);
  const virtual = (cluster.clock.now() - virtualBegan) / 1e9;
  await cluster.stop();
  return { seconds, cpuSeconds: (user + system) / 1e6, virtual };
}

const operations = Number(process.argv[2] ?? 200_000);
const rounds = Number(process.argv[3] ?? 5);
await run(0, Math.min(operations, 20_000));
const rates: number[] = [];
const cpuRates: number[] = [];
for (let seed = 1; seed <= rounds; seed++) {
  const { seconds, cpuSeconds, virtual } = await run(seed, operations);
  rates.push(operations / seconds);
  cpuRates.push(operations / cpuSeconds);
  const [wall, cpu] = [seconds.toFixed(2), cpuSeconds.toFixed(2)];
  console.log(
    `seed ${seed}: ${operations} operations in ${wall} s, ${cpu} s of processor time, ${virtual.toFixed(1)} s virtual`,
  );
}
print("operations a second", rates);
print("operations a second of processor time (all threads)", cpuRates);

function print(what: string, values: number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const of = (index: number): string => Math.round(sorted[index] ?? 0).toLocaleString("en");
  console.log(`${what}: min ${of(0)}, median ${of(sorted.length >> 1)}, max ${of(sorted.length - 1)}`);
}
