import { InputError, type Event, type Json, type SequentialSpecification } from "../../model/light.ts";
import { worst, type Outcome, type Verdict, type Violation } from "../verdict.ts";
import { explain, type Explanation } from "./explanation.ts";
import { splitByIndependentKey } from "./independent.ts";
import { ObjectCheck, type ObjectFinding } from "./object-check.ts";
import { operationsOf, type Locate, type TimedOperation } from "./operations.ts";

export interface LinearizabilityOptions {
  /** Time for the whole check, in ms; 5 minutes unless told. */
  readonly timeMs?: number;
  /** Bytes that the search may hold, about; 2 GiB unless told. */
  readonly memoryBytes?: number;
  /** Judge every object, even after a violation. */
  readonly allKeys?: boolean;
  /** "search" leaves the specialised algorithms aside. */
  readonly algorithm?: "auto" | "search";
  /** Take values that are tuples `[key value]` throughout for Jepsen's independent keys, each an object of its own. */
  readonly independentKeys?: boolean;
  /** How events are named in messages about bad input. */
  readonly locate?: Locate;
}

/** The verdict on one independent object of the history. */
export interface ObjectVerdict {
  /** Undefined when the history is one object. */
  readonly key: string | undefined;
  /** Whether the key is one of Jepsen's independent keys. */
  readonly isIndependent?: boolean;
  readonly verdict: Outcome;
  /** "search", or the specialised algorithm whose conditions held. */
  readonly algorithm: string;
  readonly operations: number;
  /** One sentence for people. */
  readonly detail: string;
  /** Invocations in the order of a linearization that the verifier has accepted; for `holds`. */
  readonly linearization?: readonly Event[];
  /** For `violated`; worked out when it is first asked for. */
  readonly explanation?: Explanation;
}

export interface LinearizabilityVerdict extends Verdict {
  readonly objects: readonly ObjectVerdict[];
}

/**
 * Judges whether a history is linearizable (Herlihy & Wing, TOPLAS 12(3), 1990) with respect to a sequential
 * specification, of which a model of one's own needs few lines:
 *
 * ```ts
 * import { linearizable } from "zabcheck/checkers";
 * import type { SequentialSpecification } from "zabcheck/model";
 *
 * /** `take` gives out tickets 1, 2, 3, ... *\/
 * const tickets: SequentialSpecification<number> = {
 *   name: "tickets",
 *   initial: 0,
 *   key: String,
 *   step: (given, call) => (call.result === undefined || call.result === given + 1 ? [given + 1] : []),
 * };
 *
 * const verdict = linearizable(events, tickets);
 * verdict.verdict; // "holds", "violated" or "unknown"
 * verdict.detail; // "2 operations, and no order explains them: take -> 1 (event 3) can't be explained"
 * ```
 *
 * `info` completions and missing ones may have happened at any later time or never, `fail` never happened; intervals
 * are closed, at equal times invocations come first. Throws InputError for a history that is none (see operationsOf)
 * and for calls that the specification refuses. `violation` and `explanation` are worked out when first read.
 */
export function linearizable<State>(
  events: readonly Event[],
  specification: SequentialSpecification<State>,
  options: LinearizabilityOptions = {},
): LinearizabilityVerdict {
  const operations = operationsOf(events, options.locate);
  return linearizableOperations(operations, specification, options);
}

/** The same for operations that are paired already, in the order of their calls. */
export function linearizableOperations<State>(
  operations: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
  options: LinearizabilityOptions = {},
): LinearizabilityVerdict {
  const objects = objectsOf(operations, specification, options);
  const deadline = performance.now() + (options.timeMs ?? timeMsDefault);
  const findings = decideAll(objects, deadline, options);
  return verdictOn(objects, findings, specification, operations.length);
}

/** Time for a check, and bytes that it may hold, unless told. */
export const timeMsDefault: number = 300_000;
export const memoryBytesDefault: number = 2 ** 31;

/** One independent object, with its decision. */
export interface Obj<State> {
  readonly key: string | undefined;
  readonly isIndependent: boolean;
  readonly check: ObjectCheck<State>;
}

export function objectsOf<State>(
  operations: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
  options: LinearizabilityOptions,
): readonly Obj<State>[] {
  const independent = options.independentKeys === true ? splitByIndependentKey(operations) : undefined;
  const useSpecialised = options.algorithm !== "search";
  return [...(independent ?? new Map([[undefined, operations]]))].flatMap(([outer, whole]) => {
    refuseUnknownCalls(whole, specification, options.locate);
    return [...partitioned(whole, specification)].map(([inner, own]) => ({
      key: outer === undefined || inner === undefined ? (outer ?? inner) : `${outer} ${inner}`,
      isIndependent: outer !== undefined,
      check: new ObjectCheck(own, specification, useSpecialised),
    }));
  });
}

export function verdictOn<State>(
  objects: readonly Obj<State>[],
  findings: readonly (ObjectFinding | undefined)[],
  specification: SequentialSpecification<State>,
  operations: number,
): LinearizabilityVerdict {
  const verdicts = objects.map((object, at) => objectVerdict(object, findings[at]));
  return verdictOf(specification, verdicts, operations);
}

/** The operations of each independent object; one object without a name when they can't be told apart. */
export function partitioned<State>(
  operations: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
): ReadonlyMap<string | undefined, readonly TimedOperation[]> {
  const whole = new Map([[undefined, operations]]);
  if (specification.partition === undefined) return whole;
  const byKey = new Map<string | undefined, TimedOperation[]>();
  for (const operation of operations) {
    const key = specification.partition(operation);
    if (key === undefined) return whole;
    const own = byKey.get(key);
    if (own === undefined) byKey.set(key, [operation]);
    else own.push(operation);
  }
  return byKey;
}

function refuseUnknownCalls<State>(
  operations: readonly TimedOperation[],
  specification: SequentialSpecification<State>,
  locate: Locate = (event) => `event ${String(event.index)}`,
): void {
  if (specification.refuse === undefined) return;
  for (const operation of operations) {
    const reason = specification.refuse(operation);
    if (reason === undefined) continue;
    const event =
      specification.refuse({ ...operation, result: undefined }) === undefined
        ? operation.completion
        : undefined;
    throw new InputError(
      `${locate(event ?? operation.invocation)}: ${specification.name} knows no such call: ${reason}`,
      "Choose the data type that the history is about with --as.",
    );
  }
}

/** The first turn of an object, in ms; each further round gives twice as much, so that a hard object keeps none waiting. */
const firstTurnMs = 100;

export function decideAll<State>(
  objects: readonly Obj<State>[],
  deadline: number,
  options: LinearizabilityOptions,
  roundsMax: number = Infinity,
): (ObjectFinding | undefined)[] {
  const memoryBytes = options.memoryBytes ?? memoryBytesDefault;
  const findings: (ObjectFinding | undefined)[] = objects.map(() => undefined);
  let pending = objects.map((_, at) => at);
  for (let round = 0; pending.length > 0 && round < roundsMax; round++) {
    const bytesMax = memoryBytes / pending.length;
    const undecided: number[] = [];
    for (const at of pending) {
      const turnEnd = performance.now() + firstTurnMs * 2 ** round;
      const { check } = objects[at] as Obj<State>;
      const finding = check.run({ deadline: Math.min(deadline, turnEnd), bytesMax });
      findings[at] = finding;
      if (finding.verdict === "violated" && options.allKeys !== true) return findings;
      if (finding.verdict === "unknown" && (finding.ranOut === "time" || pending.length > 1))
        undecided.push(at);
    }
    const isStuck =
      undecided.length === pending.length && undecided.every((at) => findings[at]?.ranOut === "memory");
    if (performance.now() >= deadline || undecided.length === 0 || isStuck) break;
    pending = undecided;
  }
  return findings;
}

function objectVerdict<State>(
  { key, isIndependent, check }: Obj<State>,
  finding: ObjectFinding | undefined,
): ObjectVerdict {
  const common = {
    key,
    ...(isIndependent ? { isIndependent } : {}),
    operations: check.operations.length,
  };
  if (finding === undefined) {
    return {
      ...common,
      verdict: "unknown",
      algorithm: "none",
      detail: "not judged: another key's violation ended the check",
    };
  }
  const algorithm = finding.algorithm.name;
  if (finding.verdict === "holds") {
    const detail = `a linearization of ${operationsText(check.operations.length)} was found (${algorithm}) and verified`;
    const verdict: ObjectVerdict = { ...common, verdict: "holds", algorithm, detail };
    return withLazy(verdict, "linearization", () =>
      (finding.order ?? []).map((at) => (check.operations[at] as TimedOperation).invocation),
    );
  }
  if (finding.verdict === "unknown") {
    const answered = check.operations.filter((operation) => operation.return !== Infinity).length;
    const detail =
      `${String(finding.ranOut)} ran out after ${String(finding.configurations)} configurations; ` +
      `explained up to ${String(finding.passed)} of ${String(answered)} completions`;
    return { ...common, verdict: "unknown", algorithm, detail };
  }
  const verdict: ObjectVerdict = {
    ...common,
    verdict: "violated",
    algorithm,
    detail: `no order explains ${operationsText(check.operations.length)}`,
  };
  return withLazy(verdict, "explanation", () => explain(check, finding));
}

/** Adds a property that is computed when it is first read. */
function withLazy<T extends object, Name extends keyof T>(
  target: T,
  name: Name,
  compute: () => NonNullable<T[Name]>,
): T {
  let value: NonNullable<T[Name]> | undefined;
  return Object.defineProperty(target, name, { enumerable: true, get: () => (value ??= compute()) });
}

function operationsText(count: number): string {
  return count === 1 ? "1 operation" : `${String(count)} operations`;
}

function verdictOf<State>(
  specification: SequentialSpecification<State>,
  objects: readonly ObjectVerdict[],
  operations: number,
): LinearizabilityVerdict {
  const outcome = worst(objects.map((object) => object.verdict));
  const broken = objects.find((object) => object.verdict === "violated");
  const undecided = objects.filter((object) => object.verdict === "unknown");
  const algorithms = [...new Set(objects.map((object) => object.algorithm))].join(", ");
  const independent = objects.some(({ isIndependent }) => isIndependent) ? "independent " : "";
  const keys = `${String(objects.length)} ${independent}${objects.length === 1 ? "key" : "keys"}`;
  const over = objects.length === 1 && independent === "" ? "" : ` on ${keys}`;
  const named = (object: ObjectVerdict): string => (object.key === undefined ? "" : `key ${object.key}: `);
  const verdict: LinearizabilityVerdict = {
    name: "linearizable",
    verdict: outcome,
    detail:
      broken !== undefined
        ? `${specification.name}${independent === "" ? "" : `, ${keys}`}: ${named(broken)}${broken.detail}`
        : undecided.length > 0
          ? `${specification.name}: ${String(undecided.length)} of ${independent === "" ? String(objects.length) : keys} undecided; ${named(undecided[0] as ObjectVerdict)}${undecided[0]?.detail ?? ""}`
          : `${specification.name}: ${operationsText(operations)}${over} in one order each, found (${algorithms || "nothing to do"}) and verified`,
    ...(operations === 0 ? { vacuous: true } : {}),
    counts: {
      operations,
      objects: objects.length,
      undecided: undecided.length,
      violated: objects.filter((o) => o.verdict === "violated").length,
    },
    objects,
  };
  const told = withLazy<LinearizabilityVerdict, "evidence">(verdict, "evidence", () => ({
    objects: objects.map(evidenceOf),
  }));
  if (broken === undefined) return told;
  return withLazy<LinearizabilityVerdict, "violation">(told, "violation", () => violationOf(broken));
}

/** Operations are given by the index of their invocation. */
function evidenceOf(object: ObjectVerdict): Json {
  const indexes = (operations: readonly TimedOperation[]): number[] =>
    operations.map(({ invocation }) => invocation.index);
  const { key, verdict, algorithm, operations, detail, explanation } = object;
  return {
    ...(key === undefined ? {} : { key }),
    verdict,
    algorithm,
    operations,
    detail,
    ...(object.linearization === undefined
      ? {}
      : { linearization: object.linearization.map(({ index }) => index) }),
    ...(explanation === undefined
      ? {}
      : {
          explanation: {
            summary: explanation.summary,
            earliest: explanation.earliest.invocation.index,
            isEarliest: explanation.isEarliest,
            concurrent: indexes(explanation.concurrent),
            longest: explanation.longest.map(({ order, state }) => ({ order: indexes(order), state })),
            minimal: indexes(explanation.minimal),
            isMinimal: explanation.isMinimal,
            from: [...explanation.from],
            confirmed: explanation.confirmed,
          },
        }),
  };
}

function violationOf(broken: ObjectVerdict): Violation {
  const explanation = broken.explanation as Explanation;
  return {
    summary: explanation.summary,
    events: explanation.minimal
      .flatMap((operation) =>
        operation.completion === undefined
          ? [operation.invocation]
          : [operation.invocation, operation.completion],
      )
      .sort((a, b) => a.index - b.index),
    earliest: explanation.earliest.completion ?? explanation.earliest.invocation,
  };
}
