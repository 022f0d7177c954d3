import type { Verdict } from "../verdict.ts";
import { Coverage } from "./coverage.ts";
import { replayInstances, tellCounterexample, type Counterexample } from "./counterexample.ts";
import type { Finding } from "./expansion.ts";
import { fewestSwitches, statesMax as fewestSwitchesStatesMax } from "./fewest-switches.ts";
import { pathTo, type Path } from "./paths.ts";
import type { Program } from "./program.ts";
import type { Recovery } from "./recoverability.ts";
import { describeBounds, type ActionCoverage, type Ending, type ExplorationResult } from "./result.ts";
import { stepFlags } from "./step-properties.ts";
import { stopReason, word, type SharedMemory } from "./shared.ts";
import type { Instance } from "./transitions.ts";

/** An exploration that has ended, whatever way it went. */
export interface Ended {
  readonly program: Program;
  readonly memory: SharedMemory;
  readonly mode: ExplorationResult["mode"];
  /** What broke, and the way there as it was found. */
  readonly violation: Violation | undefined;
  readonly view: readonly string[];
  readonly symmetry: boolean;
  readonly workers: number;
  readonly seconds: number;
  readonly unexpanded: number;
  readonly visitedBytes: number;
  readonly frontierBytes: number;
  readonly recoveries: readonly Recovery[];
  readonly notJudged: ExplorationResult["notJudged"];
  readonly walks?: ExplorationResult["walks"];
}

export interface Violation {
  readonly kind: Counterexample["kind"];
  readonly property: string;
  readonly path: Path;
}

/** What an exploration found, from what it left in memory. */
export function summarise(ended: Ended): ExplorationResult {
  const { program, memory, seconds } = ended;
  const { model } = program;
  const control = new Int32Array(memory.control);
  const actions = actionCoverage(ended);
  const generated = model.initial.length + actions.reduce((sum, action) => sum + action.generated, 0);
  const distinct = control[word.distinct] as number;
  const alike = control[word.alike] as number;
  const partial = {
    model: model.name,
    parameters: model.parameters,
    variant: model.variant ?? null,
    mode: ended.mode,
    symmetry: ended.symmetry,
    view: ended.view,
    workers: ended.workers,
    ending: endingOf(control[word.stop] as number),
    generated,
    distinct,
    depth: control[word.level] as number,
    seconds,
    generatedPerSecond: generated / Math.max(seconds, 1e-9),
    unexpanded: ended.unexpanded,
    alike,
    actions,
    witnesses: witnessCoverage(ended),
    counterexample: counterexampleOf(ended),
    notJudged: ended.notJudged,
    // TLC's estimate: each successor that was taken for known, against each state kept; and each state that was taken
    // for alike.
    collisionProbability: (distinct * Math.max(1, generated - distinct + alike)) / 2 ** 64,
    memory: { visitedBytes: ended.visitedBytes, frontierBytes: ended.frontierBytes },
    ...(ended.walks === undefined ? {} : { walks: ended.walks }),
  };
  return { ...partial, verdicts: verdictsOf(ended, partial) };
}

function endingOf(stop: number): Ending {
  const [name] = Object.entries(stopReason).find(([, reason]) => reason === stop) ?? ["none"];
  return name === "none" ? "complete" : (name as Ending);
}

function actionCoverage({ program, memory }: Ended): ActionCoverage[] {
  const { actionsOfInstances, model } = program;
  const coverage = new Coverage(memory.coverage, 0);
  const sums = model.actions.map(() => [0, 0] as [number, number]);
  for (const [instance, actionIndex] of actionsOfInstances.entries()) {
    const [generated, distinct] = coverage.of(instance);
    const sum = sums[actionIndex] as [number, number];
    sum[0] += generated;
    sum[1] += distinct;
  }
  return model.actions.map(({ name, fault }, index) => {
    const [generated, distinct] = sums[index] as [number, number];
    return { name, fault: fault === true, generated, distinct };
  });
}

function witnessCoverage(ended: Ended): { name: string; seen: boolean }[] {
  const { model, knowledge } = ended.program;
  const first = (model.invariants ?? []).length;
  return (model.witnesses ?? []).map(({ name }, index) => ({ name, seen: knowledge.flag(first + index) }));
}

/** The properties that an exploration judges, in the order of the model. */
function judged(ended: Ended): { name: string; exercised: boolean }[] {
  const { model, knowledge } = ended.program;
  const { invariants = [], witnesses = [], stepProperties = [] } = model;
  const firstOfSteps = invariants.length + witnesses.length;
  return [
    ...invariants.map(({ name }, index) => ({ name, exercised: knowledge.flag(index) })),
    ...stepProperties.map(({ name }, index) => ({
      name,
      exercised: knowledge.flag(firstOfSteps + stepFlags * index),
    })),
  ];
}

/**
 * The finding that is told: a deadlock, as its path is a step shorter than those of what its level's steps lead to; else
 * the first in the order of the model's properties.
 */
export function chosenViolation(
  program: Program,
  memory: SharedMemory,
  findings: readonly Finding[],
  unexpanded: number,
): Violation | undefined {
  const { invariants = [], stepProperties = [] } = program.model;
  const order = [...invariants, ...stepProperties].map(({ name }) => name);
  const rank = ({ kind, property }: Finding): number => {
    if (kind === "deadlock") return -1;
    const position = order.indexOf(property);
    return position < 0 ? order.length : position;
  };
  const [finding] = findings.toSorted((a, b) => rank(a) - rank(b));
  if (finding === undefined) return undefined;
  const found = foundPath(program, new Int32Array(memory.parents), finding);
  const expanded = (new Int32Array(memory.control)[word.distinct] as number) - unexpanded;
  const best =
    expanded > fewestSwitchesStatesMax
      ? undefined
      : fewestSwitches(program.model, finding, found.instances.length + 1);
  return { kind: finding.kind, property: finding.property, path: best ?? found };
}

function foundPath(program: Program, parents: Int32Array, { kind, parent, instance, state }: Finding): Path {
  if (kind === "deadlock") return pathTo(program, parents, state);
  if (parent < 0) return { initial: instance, instances: [] };
  const { initial, instances } = pathTo(program, parents, parent);
  return { initial, instances: [...instances, program.transitions.instances[instance] as Instance] };
}

/** The first violation that was found; else the first trap. */
function counterexampleOf({ program, violation, recoveries }: Ended): Counterexample | null {
  const trapped = recoveries.find(({ trap }) => trap !== undefined);
  const told: Violation | undefined =
    violation ??
    (trapped?.trap === undefined
      ? undefined
      : { kind: "recoverable", property: trapped.name, path: trapped.trap.path });
  if (told === undefined) return null;
  const initial = program.model.initial[told.path.initial];
  const path = replayInstances(initial, told.path.instances);
  return tellCounterexample(program.layout, told.property, told.kind, initial, path);
}

function verdictsOf(ended: Ended, result: Omit<ExplorationResult, "verdicts">): Verdict[] {
  const count = result.distinct.toLocaleString("en");
  const bounds = `${count} states, depth ${result.depth}; ${describeBounds(result)}`;
  const verdicts = judged(ended).map(({ name, exercised }) => verdictOf(name, exercised, bounds, result));
  const { counterexample } = result;
  if (counterexample?.kind === "deadlock")
    verdicts.push(verdictOf(counterexample.property, true, bounds, result));
  return [...verdicts, ...ended.recoveries.map((recovery) => recoveryVerdict(recovery, bounds))];
}

function recoveryVerdict({ name, required, trap }: Recovery, bounds: string): Verdict {
  const number = (value: number): string => value.toLocaleString("en");
  if (trap !== undefined) {
    const steps = trap.path.instances.length;
    const summary =
      `${name}: a path of ${steps} steps leads to a state from which it cannot be reached any more; ` +
      `${number(trap.states)} states can be reached from there, none of them is such a state`;
    return {
      name,
      verdict: "violated",
      detail: `not always possible within ${bounds}`,
      violation: { summary, events: [] },
    };
  }
  if (required === 0)
    return { name, verdict: "holds", vacuous: true, detail: `never required in all ${bounds}` };
  return { name, verdict: "holds", detail: `always possible, from each of ${number(required)} of ${bounds}` };
}

function verdictOf(
  name: string,
  exercised: boolean,
  bounds: string,
  { counterexample, ending, mode, walks }: Omit<ExplorationResult, "verdicts">,
): Verdict {
  if (counterexample?.property === name) {
    const steps = counterexample.length - 1;
    const summary = `${name} is broken by a path of ${steps} step${steps === 1 ? "" : "s"}`;
    return {
      name,
      verdict: "violated",
      detail: `broken within ${bounds}`,
      violation: { summary, events: [] },
    };
  }
  if (mode === "simulation") {
    const detail = `not broken in ${(walks?.count ?? 0).toLocaleString("en")} random walks; ${bounds}`;
    return { name, verdict: "unknown", detail };
  }
  if (ending !== "complete") {
    return { name, verdict: "unknown", detail: `not broken in ${bounds}, but ${describeEnding(ending)}` };
  }
  if (exercised) return { name, verdict: "holds", detail: `holds in all ${bounds}` };
  return {
    name,
    verdict: "holds",
    vacuous: true,
    detail: `never exercised: its premise is false in all ${bounds}`,
  };
}

export function describeEnding(ending: Ending): string {
  switch (ending) {
    case "violation":
      return "the exploration ended where another property broke";
    case "time":
      return "the time was up before all was explored";
    case "memory":
      return "the memory was used up before all was explored";
    case "depth":
      return "deeper states were not explored";
    case "interrupted":
      return "it was interrupted before all was explored";
    default:
      return "all was explored";
  }
}
