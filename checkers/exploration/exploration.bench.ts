import { zabModel, type Parameters } from "../../model/index.ts";
import { explore } from "./explore.ts";
import type { ExplorationOptions } from "./explore.ts";

/**
 * Generated states a second and bytes a distinct state, on Zab at the published bounds: alternating runs, so that a
 * noisy machine disturbs all rows alike. TLC with two workers: about 30,000 a second at (3,2,1,0).
 *
 * EXPLORATION_LARGE=1 adds (3,2,2,0), which takes minutes.
 */
interface Row {
  readonly name: string;
  readonly options: ExplorationOptions;
}

const zab = (transactions: number, timeouts: number, restarts: number, epochs: number): Parameters => ({
  servers: 3,
  transactions,
  timeouts,
  restarts,
  epochs,
});
const options = { recoverability: false } as const;
const small: readonly Row[] = [
  { name: "(3,2,1,0)", options: { ...options, parameters: zab(2, 1, 0, 3) } },
  { name: "(3,2,1,0) symmetry", options: { ...options, parameters: zab(2, 1, 0, 3), symmetry: true } },
  { name: "(3,2,1,1)", options: { ...options, parameters: zab(2, 1, 1, 3) } },
  { name: "(3,2,1,1) two workers", options: { ...options, parameters: zab(2, 1, 1, 3), workers: 2 } },
];
const large: readonly Row[] = [
  { name: "(3,2,2,0) symmetry", options: { ...options, parameters: zab(2, 2, 0, 4), symmetry: true } },
  {
    name: "(3,2,2,0) symmetry, two workers",
    options: { ...options, parameters: zab(2, 2, 0, 4), symmetry: true, workers: 2 },
  },
];

const rounds = Number(process.env["ROUNDS"] ?? 3);
const rows = process.env["EXPLORATION_LARGE"] === "1" ? [...small, ...large] : small;
const rates = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const { name, options: chosen } of rows) {
    const result = await explore(zabModel, chosen);
    const known = rates.get(name) ?? [];
    known.push(result.generatedPerSecond);
    rates.set(name, known);
    const bytes = (result.memory.visitedBytes / result.distinct).toFixed(1);
    console.log(
      `${name}: ${result.generated} generated, ${result.distinct} distinct, depth ${result.depth}, ` +
        `${result.seconds.toFixed(1)} s, ${bytes} bytes a distinct state`,
    );
  }
}
for (const [name, all] of rates) {
  const sorted = all.toSorted((a, b) => a - b).map((rate) => `${(rate / 1e6).toFixed(2)} M/s`);
  console.log(`${name}: min ${sorted[0]}, median ${sorted[sorted.length >> 1]}, max ${sorted.at(-1)}`);
}
