import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  buildModel,
  dotOf,
  explore,
  exploreHistories,
  itfOf,
  spaceTimeOf,
  traceOf,
  withPromises,
  worst,
  type ExplorationOptions,
  type ExplorationProgress,
} from "../../checkers/index.ts";
import {
  InputError,
  OperationError,
  type Model,
  type ModelDefinition,
  type ParameterDeclaration,
  type Parameters,
} from "../../model/index.ts";
import { storeExploration } from "../../results/index.ts";
import {
  exitWith,
  integerBetween,
  parseDurationMs,
  parseSeed,
  parseSizeBytes,
  print,
  printJson,
} from "../command-line.ts";
import { hostOf } from "../host.ts";
import { withInterruption } from "../interruption.ts";
import { hintOfNames } from "../names.ts";
import { makeProgress, type Progress } from "../progress.ts";
import { version } from "../version.ts";
import { historyFiles, keptHistories, plainly, writeHistories, type Explored } from "./histories.ts";
import { loadModel, type FoundModel } from "./load-model.ts";
import { outputOf } from "./output.ts";
import { linesOf } from "./text.ts";
import { tellingOf } from "./telling.ts";

interface Flags {
  readonly variant?: string;
  readonly symmetry?: boolean;
  readonly view?: boolean;
  readonly deadlock?: boolean;
  readonly workers: number;
  readonly memory?: number;
  readonly time?: number;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly spill?: string;
  readonly simulate?: boolean;
  readonly depthFirst?: boolean;
  readonly depth?: number;
  readonly seed: number;
  readonly walks?: number;
  readonly recoverability?: boolean;
  readonly trace?: string;
  readonly history?: string;
  readonly changes?: boolean;
  readonly dot?: string;
  readonly results: string;
  readonly keep: boolean;
  readonly json?: boolean;
  readonly [parameter: string]: unknown;
}

/** States of a graph that Graphviz can still draw. */
const dotStatesMax = 2000;

/** Runs `zabcheck explore` on its own words. Throws CommanderError for wrong usage, InputError for what is no model. */
export async function exploreCommand(words: readonly string[]): Promise<void> {
  const [name, ...rest] = words;
  if (name === undefined || name.startsWith("-")) {
    generalCommand().parse(name === undefined ? ["--help"] : words, { from: "user" });
    return;
  }
  const found = await loadModel(name);
  const command = commandFor(name, found.definition);
  command.parse(rest, { from: "user" });
  const flags = command.opts<Flags>();
  const parameters = parametersFrom(found.definition, flags);
  const model = buildModel(found.definition, {
    parameters,
    ...(flags.variant === undefined ? {} : { variant: flags.variant }),
  });
  const startedAt = new Date().toISOString();
  const explored = await exploreWithProgress(found, model, parameters, flags);
  const { result } = explored;
  const telling = tellingOf(model, result);
  const written = writeFiles(found, model, explored, flags);
  const directory = flags.keep
    ? keep(found, model, explored, flags, { startedAt, command: ["zabcheck explore", ...words].join(" ") })
    : null;
  if (flags.json === true) printJson(outputOf(explored, telling, directory));
  else {
    const shown = { ...telling, changes: flags.changes === true };
    for (const line of [...linesOf(explored, shown, directory), ...written]) print(line);
    if (directory !== null) print(`report: ${directory}/report.html`);
  }
  exitWith(worst(result.verdicts.map(({ verdict }) => verdict)));
}

async function exploreWithProgress(
  found: FoundModel,
  model: Model<unknown>,
  parameters: Parameters,
  flags: Flags,
): Promise<Explored> {
  const progress = await makeProgress();
  const { definition, module } = found;
  progress.stage(`exploring ${definition.name}`);
  const timeMs = flags.time;
  const recoverability = flags.recoverability ?? definition.exploration?.recoverability;
  const started = performance.now();
  const options: ExplorationOptions = {
    parameters,
    ...(flags.variant === undefined ? {} : { variant: flags.variant }),
    ...(module === null ? {} : { module }),
    mode: modeOf(flags),
    symmetry: flags.symmetry ?? definition.exploration?.symmetry ?? false,
    view: flags.view === true,
    deadlock: flags.deadlock === true,
    workers: flags.workers,
    seed: flags.seed,
    ...(flags.memory === undefined ? {} : { memoryBytesMax: flags.memory }),
    ...(timeMs === undefined ? {} : { timeMs }),
    ...(flags.depth === undefined ? {} : { depthMax: flags.depth }),
    ...(flags.walks === undefined ? {} : { walksMax: flags.walks }),
    ...(flags.checkpoint === undefined ? {} : { checkpoint: flags.checkpoint }),
    ...(flags.resume === undefined ? {} : { resume: flags.resume }),
    ...(flags.spill === undefined ? {} : { spill: flags.spill }),
    ...(recoverability === undefined ? {} : { recoverability }),
    onProgress: (now) => tell(progress, now, timeMs, performance.now() - started),
  };
  try {
    return await withInterruption(
      async (signal) =>
        model.history === undefined
          ? plainly(await explore(definition, { ...options, signal }))
          : exploreHistories(model, { ...options, signal }),
      progress.note,
    );
  } finally {
    progress.done();
  }
}

/** How far an exploration is nobody knows: where a time was given, how much of it is gone. */
function tell(
  progress: Progress,
  now: ExplorationProgress,
  timeMs: number | undefined,
  elapsedMs: number,
): void {
  const number = (value: number): string => value.toLocaleString("en");
  const text = `${number(now.distinct)} states, level ${now.level} of ${number(now.frontier)}, ${Math.round(now.bytes / 1e6)} MB`;
  progress.update(timeMs === undefined ? 0 : elapsedMs / timeMs, text);
}

function modeOf({ simulate, depthFirst }: Flags): NonNullable<ExplorationOptions["mode"]> {
  if (simulate === true && depthFirst === true)
    throw new InputError("--simulate and --depth-first", "choose one of them");
  return simulate === true ? "simulation" : depthFirst === true ? "depth-first" : "breadth-first";
}

/** Writes what was asked for besides; returns what to say about it. */
function writeFiles(
  found: FoundModel,
  model: Model<unknown>,
  { result, examples }: Explored,
  flags: Flags,
): string[] {
  const lines: string[] = [];
  const { counterexample } = result;
  if (flags.history !== undefined) {
    const [example] = examples;
    if (example === undefined)
      lines.push(`no history was written to ${flags.history}: none is worth showing`);
    else {
      writeHistories([{ path: flags.history, example }]);
      lines.push(`history: ${flags.history}, of ${example.promise.name}`);
    }
  }
  if (flags.trace !== undefined) {
    if (counterexample === null) lines.push(`no trace was written to ${flags.trace}: nothing is broken`);
    else {
      const trace = traceOf(withPromises(model), found.module, counterexample);
      const itf = flags.trace.replace(/(\.itf)?(\.json)?$/, ".itf.json");
      if (itf !== flags.trace) write(flags.trace, JSON.stringify(trace, null, 1));
      write(itf, JSON.stringify(itfOf(trace), null, 1));
      lines.push(
        itf === flags.trace
          ? `trace: ${itf}`
          : `trace: ${flags.trace} (zabcheck replay), ${itf} (Apalache's form)`,
      );
    }
  }
  if (flags.dot !== undefined) {
    const { text, states, complete } = dotOf(model, counterexample, dotStatesMax);
    write(flags.dot, text);
    lines.push(
      `graph: ${flags.dot}, ${complete ? "all" : "the first"} ${states.toLocaleString("en")} states`,
    );
  }
  return lines;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, `${text}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError("UNWRITABLE", `${path}: ${reason}`, "choose another file", error);
  }
}

function keep(
  { module }: FoundModel,
  model: Model<unknown>,
  explored: Explored,
  flags: Flags,
  { startedAt, command }: { startedAt: string; command: string },
): string {
  const { result } = explored;
  const { counterexample } = result;
  const trace = counterexample === null ? null : traceOf(withPromises(model), module, counterexample);
  const spaceTime = counterexample === null ? null : spaceTimeOf(model, counterexample);
  const host = { zabcheck: version(), host: hostOf(), seed: flags.seed };
  const { words, measures } = tellingOf(model, result);
  const histories = keptHistories(explored);
  const kept = { result, spaceTime, words, measures, histories, command, startedAt };
  const directory = storeExploration(flags.results, kept, trace, host);
  writeHistories(historyFiles(explored, directory));
  return directory;
}

function generalCommand(): Command {
  return new Command("zabcheck explore <model>")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .description(
      "explore every state of a model within its bounds; a model's parameters are options, too: zabcheck explore zab --help",
    )
    .addHelpText(
      "after",
      "\nThe models: zabcheck models. A model of your own: zabcheck explore ./my-model.js",
    );
}

/** The options of `zabcheck explore NAME`: the model's parameters and how to explore. */
export function commandFor(name: string, definition: ModelDefinition): Command {
  const command = new Command(`zabcheck explore ${name}`)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .description(definition.summary);
  for (const [parameter, declaration] of Object.entries(definition.parameters)) {
    command.addOption(parameterOption(parameter, declaration));
  }
  const variants = Object.keys(definition.variants ?? {});
  return command
    .option(
      "--variant <name>",
      `a seeded defect: ${variants.join(", ") || "there is none"}`,
      variantParser(variants),
    )
    .option(
      "--symmetry",
      `states that differ by a permutation of symmetric identities count as one${definition.exploration?.symmetry === true ? " (default)" : ""}`,
    )
    .option("--no-symmetry", "all states count")
    .option(
      "--view",
      "leave ghost variables out of the states' identity (of zab: the recorder's last action; recorded histories: one a state)",
    )
    .option("--deadlock", "a state without successors is a violation")
    .option("--workers <n>", "threads", integerBetween(1, 64), 1)
    .option(
      "--memory <size>",
      "at most so much: 8g; the answer is 'unknown' when it is reached",
      parseSizeBytes,
    )
    .option("--spill <folder>", "beyond that memory go on on disk, in this folder")
    .option("--time <duration>", "at most so long: 1h", parseDurationMs)
    .option("--checkpoint <folder>", "write checkpoints there, between levels")
    .option("--resume <folder>", "continue from the checkpoint there")
    .option("--depth-first", "depth-first: counterexamples are not the shortest")
    .option("--simulate", "random walks, see --depth, --seed and --walks")
    .option("--depth <n>", "levels to explore; steps of a path or walk", integerBetween(1, 1_000_000))
    .option(
      "--walks <n>",
      "how many random walks (default: 1000, or as many as fit into --time)",
      integerBetween(1, 1e9),
    )
    .option("--seed <n>", "repeats the random walks", parseSeed, 0)
    .option(
      "--recoverability",
      "judge 'always possible to reach' also where there are more than a million states",
    )
    .option("--no-recoverability", "do not judge it")
    .option("--trace <file>", "write a counterexample there: ours, and Apalache's ITF beside it (.itf.json)")
    .option("--history <file>", "write the history of a counterexample there, for zabcheck check")
    .option("--changes", "tell what each step changes, also where the model has words for its steps")
    .option("--dot <file>", "write the graph of states there, for Graphviz")
    .option("--results <folder>", "where explorations are kept", "results/runs")
    .option("--no-keep", "do not keep it")
    .option("--json", "print one JSON object");
}

function variantParser(variants: readonly string[]): (text: string) => string {
  return (text) => {
    if (!variants.includes(text))
      throw new InvalidArgumentError(`unknown variant '${text}'; ${hintOfNames(text, variants)}`);
    return text;
  };
}

function parameterOption(parameter: string, declaration: ParameterDeclaration): Option {
  const flag = `--${kebab(parameter)}`;
  const { summary } = declaration;
  switch (declaration.kind) {
    case "flag":
      return new Option(flag, summary);
    case "integer": {
      const { minimum, maximum } = declaration;
      const text = `${summary} (default: ${declaration.default}; ${minimum} to ${maximum})`;
      return new Option(`${flag} <n>`, text).argParser(integerBetween(minimum, maximum));
    }
    default:
      return new Option(`${flag} <choice>`, `${summary} (default: ${declaration.default})`).choices(
        declaration.choices,
      );
  }
}

function parametersFrom(definition: ModelDefinition, flags: Flags): Parameters {
  const given = Object.keys(definition.parameters).flatMap((name) => {
    const value = flags[camel(name)] as number | string | boolean | undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** As commander names the value of an option. */
function camel(name: string): string {
  return kebab(name).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
