import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import type { Decision, SpecialisedAlgorithm } from "./algorithm.ts";

/** What happened while the register held one value: its writer (undefined for the initial one) and the reads. */
interface Stage {
  readonly value: string;
  readonly writer: number | undefined;
  readonly reads: number[];
  /** The cas that exchanged the value. */
  next: number | undefined;
}

/** Stages that follow each other by cas, from a write on: nothing else can come between them. */
interface Cluster {
  readonly order: readonly number[];
  readonly firstReturn: number;
  readonly firstReturning: number;
  readonly lastCall: number;
  readonly lastCalled: number;
}

/**
 * Registers in which each value is written once: the operations on a value are one cluster, clusters follow each other
 * whole, and two of them contradict each other when each has an operation before one of the other's. O(n log n).
 *
 * Differs from the source: a cas that succeeded joins the cluster of the value that it found to its own; an unanswered
 * operation happened when, and only when, its value was seen, as nobody else can have written it.
 */
export const distinctRegister: SpecialisedAlgorithm = {
  name: "distinct-values register",
  source: "Gibbons & Korach, SIAM J. Comput. 26(4), 1997, section 4",
  decide: decideRegister,
};

function decideRegister(operations: readonly TimedOperation[], initial: Json): Decision | undefined {
  const stages = stagesOf(operations, initial);
  if (stages === undefined) return undefined;
  if ("involved" in stages) return { verdict: "violated", involved: stages.involved };
  const clusters: Cluster[] = [];
  for (const stage of stages.roots) {
    const cluster = clusterOf(stage, stages.byValue, operations);
    if ("involved" in cluster) return { verdict: "violated", involved: cluster.involved };
    if (cluster.order.length > 0) clusters.push(cluster);
  }
  return ordered(clusters, operations, stages.byValue);
}

interface Contradiction {
  readonly involved: readonly number[];
}

interface Stages {
  readonly byValue: ReadonlyMap<string, Stage>;
  readonly roots: readonly Stage[];
}

const oldOf = (operation: TimedOperation): string =>
  textOf((operation.argument as readonly Json[])[0] as Json);
const newOf = (operation: TimedOperation): string =>
  textOf(operation.f === "write" ? operation.argument : ((operation.argument as readonly Json[])[1] as Json));
const textOf = (value: Json): string => JSON.stringify(value);

function stagesOf(operations: readonly TimedOperation[], initial: Json): Stages | Contradiction | undefined {
  const writers = writersOf(operations, initial);
  if (writers === undefined) return undefined;
  const seen = seenValues(operations, writers, textOf(initial));
  if ("involved" in seen) return seen;
  const byValue = new Map<string, Stage>([
    [textOf(initial), { value: textOf(initial), writer: undefined, reads: [], next: undefined }],
  ]);
  for (const [value, writer] of writers) {
    const happened = operations[writer]?.return !== Infinity || seen.seen.has(value);
    if (happened) byValue.set(value, { value, writer, reads: [], next: undefined });
  }
  const roots: Stage[] = [];
  for (const stage of byValue.values()) {
    const writer = stage.writer === undefined ? undefined : operations[stage.writer];
    if (writer?.f !== "cas") {
      roots.push(stage);
      continue;
    }
    const before = byValue.get(oldOf(writer)) as Stage;
    if (before.next !== undefined) {
      const involved = [before.next, stage.writer as number];
      const evidence = involved.flatMap((at) => witnesses(at, operations, byValue));
      return { involved: [...new Set([...involved, ...evidence])] };
    }
    before.next = stage.writer;
  }
  operations.forEach((operation, at) => {
    if (operation.f === "read" && operation.return !== Infinity)
      byValue.get(textOf(operation.result as Json))?.reads.push(at);
  });
  const reached = new Set<Stage>();
  for (const root of roots) {
    for (
      let stage: Stage | undefined = root;
      stage !== undefined;
      stage = following(stage, byValue, operations)
    )
      reached.add(stage);
  }
  const loop = [...byValue.values()].filter((stage) => !reached.has(stage));
  if (loop.length > 0)
    return { involved: loop.flatMap(({ writer }) => (writer === undefined ? [] : [writer])) };
  return { byValue, roots };
}

/** By value, who writes it; undefined where the algorithm does not apply. */
function writersOf(operations: readonly TimedOperation[], initial: Json): Map<string, number> | undefined {
  const writers = new Map<string, number>();
  for (let at = 0; at < operations.length; at++) {
    const operation = operations[at] as TimedOperation;
    if (operation.f === "read") continue;
    if (operation.f === "cas" && (operation.result === false || oldOf(operation) === newOf(operation)))
      return undefined;
    const value = newOf(operation);
    if (writers.has(value) || value === textOf(initial)) return undefined;
    writers.set(value, at);
  }
  return writers;
}

/** The values that operations which happened have found. */
function seenValues(
  operations: readonly TimedOperation[],
  writers: ReadonlyMap<string, number>,
  initial: string,
): { readonly seen: ReadonlySet<string> } | Contradiction {
  const seen = new Set<string>();
  const pending: number[] = [];
  operations.forEach((operation, at) => {
    if (operation.return !== Infinity && operation.f !== "write") pending.push(at);
  });
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const operation = operations[at] as TimedOperation;
    const value = operation.f === "read" ? textOf(operation.result as Json) : oldOf(operation);
    const writer = writers.get(value);
    if (writer === undefined && value !== initial) return { involved: [at] };
    if (seen.has(value)) continue;
    seen.add(value);
    if (writer !== undefined && operations[writer]?.f === "cas" && operations[writer].return === Infinity)
      pending.push(writer);
  }
  return { seen };
}

/** Operations that show that an unanswered one happened. */
function witnesses(
  at: number,
  operations: readonly TimedOperation[],
  byValue: ReadonlyMap<string, Stage>,
): number[] {
  const operation = operations[at] as TimedOperation;
  if (operation.return !== Infinity) return [];
  const value = newOf(operation);
  const read = operations.findIndex(
    (other) => other.f === "read" && other.return !== Infinity && textOf(other.result as Json) === value,
  );
  if (read !== -1) return [read];
  const next = [...byValue.values()]
    .map(({ writer }) => writer)
    .find((writer) => {
      const other = writer === undefined ? undefined : operations[writer];
      return other?.f === "cas" && oldOf(other) === value;
    });
  return next === undefined ? [] : [next, ...witnesses(next, operations, byValue)];
}

function following(
  stage: Stage,
  byValue: ReadonlyMap<string, Stage>,
  operations: readonly TimedOperation[],
): Stage | undefined {
  return stage.next === undefined ? undefined : byValue.get(newOf(operations[stage.next] as TimedOperation));
}

/** A cluster in its own order, if real time allows it. */
function clusterOf(
  root: Stage,
  byValue: ReadonlyMap<string, Stage>,
  operations: readonly TimedOperation[],
): Cluster | Contradiction {
  const order: number[] = [];
  let lastCalled = -1;
  let firstReturning = -1;
  const callOf = (at: number): number => (at === -1 ? -1 : (operations[at] as TimedOperation).call);
  const returnOf = (at: number): number => (at === -1 ? Infinity : (operations[at] as TimedOperation).return);
  for (let stage: Stage | undefined = root; stage !== undefined;) {
    for (const group of [stage.writer === undefined ? [] : [stage.writer], stage.reads]) {
      const before = lastCalled;
      for (const at of group) {
        if (returnOf(at) < callOf(before)) return { involved: [at, before] };
        order.push(at);
        if (callOf(at) > callOf(lastCalled)) lastCalled = at;
        if (returnOf(at) < returnOf(firstReturning)) firstReturning = at;
      }
    }
    stage = following(stage, byValue, operations);
  }
  const isInitial = root.writer === undefined;
  return {
    order,
    firstReturn: isInitial ? -1 : returnOf(firstReturning),
    firstReturning,
    lastCall: callOf(lastCalled),
    lastCalled,
  };
}

function ordered(
  clusters: readonly Cluster[],
  operations: readonly TimedOperation[],
  byValue: ReadonlyMap<string, Stage>,
): Decision {
  const isForward = (cluster: Cluster): boolean => cluster.firstReturn < cluster.lastCall;
  const placeOf = (cluster: Cluster): number => (isForward(cluster) ? cluster.firstReturn : cluster.lastCall);
  const sorted = [...clusters].sort(
    (a, b) => placeOf(a) - placeOf(b) || Number(isForward(a)) - Number(isForward(b)),
  );
  let forward: Cluster | undefined;
  for (const cluster of sorted) {
    // Each has an operation that returned before one of the other was called.
    if (
      forward !== undefined &&
      cluster.firstReturn < forward.lastCall &&
      forward.firstReturn < cluster.lastCall
    ) {
      const ends = [forward, cluster].flatMap(({ firstReturning, lastCalled, order }) => [
        firstReturning,
        lastCalled,
        order[0] as number,
      ]);
      const involved = [...new Set(ends)].filter((at) => at !== -1);
      return {
        verdict: "violated",
        involved: [
          ...new Set([...involved, ...involved.flatMap((at) => witnesses(at, operations, byValue))]),
        ],
      };
    }
    if (isForward(cluster)) forward = cluster;
  }
  return { verdict: "holds", order: sorted.flatMap(({ order }) => order) };
}
