import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { zabModel, type Model, type Parameters } from "../../model/index.ts";
import { buildModel, explore, type ExplorationOptions } from "./explore.ts";

/**
 * Generated states a second and bytes a distinct state, on Zab at the published bounds. Each measurement is a process of
 * its own, as users start one: nothing is learnt or compiled yet. The rows alternate, so that a noisy machine disturbs
 * all alike.
 *
 * EXPLORATION_LARGE=1 adds (3,2,2,0), which takes minutes. TLC_RATE: what TLC generates a second on this machine with two
 * workers at (3,2,1,0); about 30,000 where this was written.
 */
interface Row {
  readonly name: string;
  readonly parameters: Parameters;
  readonly options?: ExplorationOptions;
  /** Without the properties that Zab.tla does not have. */
  readonly published?: true;
}

const zab = (transactions: number, timeouts: number, restarts: number, epochs: number): Parameters => ({
  servers: 3,
  transactions,
  timeouts,
  restarts,
  epochs,
});
const rows: readonly Row[] = [
  { name: "(3,2,1,0), ten invariants", parameters: zab(2, 1, 0, 3), published: true },
  { name: "(3,2,1,0)", parameters: zab(2, 1, 0, 3) },
  { name: "(3,2,1,0) symmetry", parameters: zab(2, 1, 0, 3), options: { symmetry: true } },
  { name: "(3,2,1,1), ten invariants", parameters: zab(2, 1, 1, 3), published: true },
  { name: "(3,2,1,1)", parameters: zab(2, 1, 1, 3) },
  { name: "(3,2,1,1) two workers", parameters: zab(2, 1, 1, 3), options: { workers: 2 } },
];
const large: readonly Row[] = [
  { name: "(3,2,2,0) E=4 symmetry", parameters: zab(2, 2, 0, 4), options: { symmetry: true } },
  {
    name: "(3,2,2,0) E=4 symmetry, two workers",
    parameters: zab(2, 2, 0, 4),
    options: { symmetry: true, workers: 2 },
  },
  { name: "(3,2,2,0) E=3", parameters: zab(2, 2, 0, 3), options: { memoryBytesMax: 3e9 } },
];
const all = [...rows, ...large];

interface Measured {
  readonly generated: number;
  readonly distinct: number;
  readonly depth: number;
  readonly seconds: number;
  readonly bytesAState: number;
  readonly rssBytes: number;
}

async function measure({ parameters, options, published }: Row): Promise<Measured> {
  const several = options?.workers !== undefined;
  const built = buildModel(zabModel, { parameters });
  const model: Model<unknown> = published === true ? asPublished(built) : built;
  const subject = several ? zabModel : model;
  const result = await explore(subject, { ...options, parameters, recoverability: false });
  return {
    generated: result.generated,
    distinct: result.distinct,
    depth: result.depth,
    seconds: result.seconds,
    bytesAState: result.memory.visitedBytes / result.distinct,
    rssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function asPublished(model: Model<unknown>): Model<unknown> {
  const invariants = (model.invariants ?? []).filter(({ name }) => name !== "LocalPrimaryOrderAsPublished");
  return { ...model, invariants, stepProperties: [], witnesses: [] };
}

function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function compareAll(): void {
  const rounds = Number(process.env["ROUNDS"] ?? 3);
  const tlcRate = Number(process.env["TLC_RATE"] ?? 30_000);
  const chosen = process.env["EXPLORATION_LARGE"] === "1" ? all : rows;
  const measured = new Map<string, Measured[]>(chosen.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name } of chosen) {
      const index = all.findIndex((row) => row.name === name);
      const child = execFileSync(process.execPath, [fileURLToPath(import.meta.url), String(index)]);
      measured.get(name)?.push(JSON.parse(child.toString()) as Measured);
    }
  }
  for (const [name, runs] of measured) {
    const rates = runs.map(({ generated, seconds }) => generated / seconds / 1e6).toSorted((a, b) => a - b);
    const seconds = runs.map((run) => run.seconds).toSorted((a, b) => a - b);
    const { generated, distinct, depth, bytesAState, rssBytes } = runs[0] as Measured;
    const [slowest, usual, fastest] = [rates[0], median(rates), rates.at(-1)].map((rate) => rate?.toFixed(2));
    console.log(`${name}: ${generated} generated, ${distinct} distinct, depth ${depth}`);
    console.log(
      `  M generated/s: min ${slowest}, median ${usual}, max ${fastest}; median ${median(seconds).toFixed(1)} s; ` +
        `${bytesAState.toFixed(1)} bytes a distinct state, ${(rssBytes / 2 ** 30).toFixed(2)} GiB in all`,
    );
  }
  const rateOf = (name: string): number =>
    median((measured.get(name) ?? []).map((run) => run.generated / run.seconds).toSorted((a, b) => a - b));
  const timesTlc = rateOf("(3,2,1,0), ten invariants") / tlcRate;
  console.log(`(3,2,1,0), ten invariants: ${timesTlc.toFixed(0)} times ${tlcRate} a second`);
  const timesOne = rateOf("(3,2,1,1) two workers") / rateOf("(3,2,1,1)");
  console.log(`(3,2,1,1): two workers ${timesOne.toFixed(2)} times one`);
}

const [index] = process.argv.slice(2);
const row = index === undefined ? undefined : all[Number(index)];
if (row === undefined) compareAll();
else console.log(JSON.stringify(await measure(row)));
