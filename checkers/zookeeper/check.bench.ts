import { checkZookeeper } from "./check.ts";
import { simulatedHistory } from "./simulated-history.ts";

/** Prints how long a history of a given number of operations takes, and the memory that it needs. */
const operations = Number(process.argv[2] ?? 1_000_000);
const options = { seed: 3, steps: Math.ceil(operations * 2.55), clients: 16, losses: 2, expiries: 1 };
const history = simulatedHistory({ ...options, registersOnly: true });
const invoked = history.filter((event) => event.type === "invoke").length;
console.log(`${invoked} operations in ${history.length} events, ${memory()}`);
const times: number[] = [];
for (let run = 0; run < 3; run++) {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const verdicts = checkZookeeper(history);
  const { user, system } = process.cpuUsage(cpu);
  times.push(performance.now() - start);
  const outcomes = new Set(verdicts.map(({ verdict }) => verdict));
  console.log(
    `${((times.at(-1) ?? 0) / 1000).toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of processor), ${[...outcomes].join(" ")}, ${memory()}`,
  );
}
times.sort((a, b) => a - b);
const show = (ms: number | undefined): string => ((ms ?? 0) / 1000).toFixed(2);
console.log(`min ${show(times[0])} s, median ${show(times[1])} s, max ${show(times[2])} s`);

function memory(): string {
  return `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB resident`;
}
