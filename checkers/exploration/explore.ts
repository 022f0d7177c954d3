import { ModelError, type Model, type ModelDefinition, type Parameters } from "../../model/index.ts";
import { InputError } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { BreadthFirst } from "./breadth-first.ts";
import { replayInstances, tellCounterexample, type Counterexample } from "./counterexample.ts";
import type { Finding } from "./expansion.ts";
import { symmetries } from "./naive.ts";
import { checkVariant, completeParameters } from "./parameters.ts";
import { Program } from "./program.ts";
import { describeBounds, type ActionCoverage, type Ending, type ExplorationResult } from "./result.ts";
import { makeSharedMemory, stopReason, word, type SharedMemory } from "./shared.ts";
import { makeValueLog } from "./values.ts";
import type { Instance } from "./transitions.ts";

export interface ExplorationOptions {
  /** Of a definition; a model that is built has its own. */
  readonly parameters?: Parameters;
  readonly variant?: string;
  /** States that differ by a permutation of symmetric identities count as one. */
  readonly symmetry?: boolean;
  /** The model's ghost variables take no part in the states' identity. */
  readonly view?: boolean;
  /** A state without successors is a violation. */
  readonly deadlock?: boolean;
}

/**
 * Explores every state that a model can reach, breadth-first, and judges its properties.
 * Throws InputError for parameters that do not fit and for a model that cannot be evaluated.
 */
export async function explore(
  subject: ModelDefinition | Model<unknown>,
  options: ExplorationOptions = {},
): Promise<ExplorationResult> {
  try {
    return await exploreModel("kind" in subject ? build(subject, options) : subject, options);
  } catch (error) {
    if (error instanceof ModelError) {
      throw new InputError(error.message, "the model cannot be evaluated: correct it", error);
    }
    throw error;
  }
}

function build(definition: ModelDefinition, options: ExplorationOptions): Model<unknown> {
  checkVariant(definition, options.variant);
  return definition.build(completeParameters(definition, options.parameters ?? {}), options.variant);
}

async function exploreModel(model: Model<unknown>, options: ExplorationOptions): Promise<ExplorationResult> {
  const view = options.view === true ? (model.ghosts ?? []) : [];
  const memory = makeSharedMemory(makeValueLog());
  const program = new Program(model, memory.values, {
    ghosts: new Set(view),
    permutations: options.symmetry === true ? symmetries(model) : [],
  });
  const search = new BreadthFirst(program, memory, { deadlock: options.deadlock === true });
  const started = performance.now();
  search.begin();
  await search.run();
  const seconds = (performance.now() - started) / 1000;
  return resultOf(search, memory, options, view, seconds);
}

function resultOf(
  search: BreadthFirst,
  memory: SharedMemory,
  options: ExplorationOptions,
  view: readonly string[],
  seconds: number,
): ExplorationResult {
  const { program, control } = search;
  const { model } = program;
  const actions = coverage(search);
  const generated = model.initial.length + actions.reduce((sum, action) => sum + action.generated, 0);
  const distinct = control[word.distinct] as number;
  const counterexample = counterexampleOf(search, memory);
  const partial = {
    model: model.name,
    parameters: model.parameters,
    variant: model.variant ?? null,
    mode: "breadth-first" as const,
    symmetry: options.symmetry === true,
    view,
    workers: 1,
    ending: endingOf(control[word.stop] as number),
    generated,
    distinct,
    depth: control[word.level] as number,
    seconds,
    generatedPerSecond: generated / Math.max(seconds, 1e-9),
    unexpanded: 0,
    actions,
    witnesses: program.predicates.all
      .filter(({ kind }) => kind === "witness")
      .map(({ name, exercised }) => ({ name, seen: exercised })),
    counterexample,
    collisionProbability: collisionProbability(generated, distinct),
    memory: {
      visitedBytes: search.visited.bytes + 8 * (control[word.numbers] as number),
      frontierBytes: search.frontier.bytes,
    },
  };
  return { ...partial, verdicts: verdictsOf(program, partial) };
}

function endingOf(stop: number): Ending {
  switch (stop) {
    case stopReason.violation:
      return "violation";
    case stopReason.time:
      return "time";
    case stopReason.memory:
      return "memory";
    case stopReason.interrupted:
      return "interrupted";
    default:
      return "complete";
  }
}

/** TLC's estimate: each new state met against each one kept. */
function collisionProbability(generated: number, distinct: number): number {
  return (distinct * Math.max(1, generated - distinct)) / 2 ** 64;
}

function coverage(search: BreadthFirst): ActionCoverage[] {
  const { transitions, model } = search.program;
  const generated = model.actions.map(() => 0);
  const distinct = model.actions.map(() => 0);
  for (const [instance, { actionIndex }] of transitions.instances.entries()) {
    generated[actionIndex] = (generated[actionIndex] as number) + (search.expansion.generated[instance] ?? 0);
    distinct[actionIndex] = (distinct[actionIndex] as number) + (search.expansion.fresh[instance] ?? 0);
  }
  return model.actions.map(({ name, fault }, index) => ({
    name,
    fault: fault === true,
    generated: generated[index] as number,
    distinct: distinct[index] as number,
  }));
}

/** The finding that is told: the first in the order of the model's properties. */
function chosenFinding(search: BreadthFirst): Finding | undefined {
  const order = (search.program.model.invariants ?? []).map(({ name }) => name);
  const rank = (finding: Finding): number => {
    const position = order.indexOf(finding.property);
    return position < 0 ? order.length : position;
  };
  return search.findings.toSorted((a, b) => rank(a) - rank(b))[0];
}

function counterexampleOf(search: BreadthFirst, memory: SharedMemory): Counterexample | null {
  const finding = chosenFinding(search);
  if (finding === undefined) return null;
  const { program } = search;
  const parents = new Int32Array(memory.parents);
  const instances: Instance[] = [];
  let { parent, instance } = finding;
  if (finding.kind === "deadlock")
    [parent, instance] = [parents[2 * finding.state] as number, parents[2 * finding.state + 1] as number];
  while (parent >= 0) {
    instances.unshift(program.transitions.instances[instance] as Instance);
    [parent, instance] = [parents[2 * parent] as number, parents[2 * parent + 1] as number];
  }
  const initial = program.model.initial[instance];
  const path = replayInstances(initial, instances);
  return tellCounterexample(program.layout, finding.property, finding.kind, initial, path);
}

function verdictsOf(program: Program, result: Omit<ExplorationResult, "verdicts">): Verdict[] {
  const bounds = `${result.distinct.toLocaleString("en")} states, depth ${result.depth}, ${describeBounds(result)}`;
  return program.predicates.all
    .filter(({ kind }) => kind === "invariant")
    .map(({ name, exercised }): Verdict => {
      const broken = result.counterexample?.property === name;
      if (broken) {
        const summary = `${name} does not hold after ${(result.counterexample?.length ?? 1) - 1} steps`;
        return {
          name,
          verdict: "violated",
          detail: `violated within ${bounds}`,
          violation: { summary, events: [] },
        };
      }
      if (result.ending !== "complete") {
        return {
          name,
          verdict: "unknown",
          detail: `no violation within ${bounds}; ended early: ${result.ending}`,
        };
      }
      return {
        name,
        verdict: "holds",
        detail: exercised
          ? `holds in every state: ${bounds}`
          : `never exercised: its premise is false in every state: ${bounds}`,
        ...(exercised ? {} : { vacuous: true }),
      };
    });
}
