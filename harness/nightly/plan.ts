import { basename } from "node:path";
import { CommanderError, InvalidArgumentError } from "commander";
import { z } from "zod";
import { InputError, type Json } from "../../model/index.ts";
import { listOf, parseDurationMs, parseSizeBytes, parseSeed } from "../command-line.ts";
import { commandFor } from "../exploring/explore-command.ts";
import { loadModel } from "../exploring/load-model.ts";
import { families } from "../faults/index.ts";
import { firstIssue, readJsonFile } from "../json-file.ts";
import { hintOfNames } from "../names.ts";
import { workloads } from "../workloads/index.ts";

/** A plan as a user writes it and `--print` shows it: see the README. */
export type WrittenPlan = { readonly [name: string]: Json };

/** A plan whose times are ms, whose sizes are bytes and whose names are known. */
export interface Plan {
  /** By default the file's. */
  readonly name?: string;
  /** For all jobs together. */
  readonly time?: number;
  readonly memory?: number;
  readonly processors?: number;
  /** How often a job is started that cannot start. */
  readonly attempts: number;
  /** For how long, and up to which size in all, runs are kept that hold. What failed is always kept. */
  readonly keep: { readonly days?: number; readonly size?: number };
  readonly runs: readonly RunMatrix[];
  readonly explorations: readonly PlannedExploration[];
}

type OptionValues = Readonly<Record<string, string | number | boolean>>;

/** One run for each workload, release, list of faults and seed. */
export interface RunMatrix {
  readonly workloads: "all" | readonly string[];
  readonly cluster: "embedded" | "docker";
  /** Each as `--release` takes it. */
  readonly releases?: readonly string[];
  readonly image?: string;
  /** Each as `--faults` takes it. */
  readonly faults: readonly string[];
  /** A number asks for so many new ones each night. */
  readonly seeds: number | readonly number[];
  readonly time: number;
  /** When a run has not ended by then it is ended. */
  readonly limit?: number;
  readonly servers: number;
  readonly observers: number;
  readonly clients: number;
  readonly rate?: number;
  readonly sessionTimeout: number;
  /** Of the workload. */
  readonly options: OptionValues;
  readonly defect?: string;
}

export interface PlannedExploration {
  /** A model's name, or a module of one's own. */
  readonly model: string;
  /** As `zabcheck explore` takes them: the model's parameters, and how to explore. */
  readonly options: OptionValues;
  readonly time: number;
  readonly memory: number;
  readonly limit?: number;
}

/** A text that one of the command line's parsers reads. */
function text<T>(parse: (text: string) => T) {
  return z.string().transform((given, context): T => {
    try {
      return parse(given);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input: given });
      return z.NEVER;
    }
  });
}

const time = text(parseDurationMs);
const size = text(parseSizeBytes);
const seed = z.int().transform((given, context) => {
  try {
    return parseSeed(String(given));
  } catch {
    context.issues.push({ code: "custom", message: "expected a seed from 0 to 2^32 - 1", input: given });
    return z.NEVER;
  }
});

/** An object of these keys and no others, which are named. */
function fields<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      const unknown = String((issue as { keys?: readonly string[] }).keys?.[0]);
      return `unknown key '${unknown}'; ${hintOfNames(unknown, keys)}`;
    },
  });
}

const workloadNames = (): readonly string[] => workloads.map(({ name }) => name);

const workloadList = z
  .union([z.literal("all"), z.array(z.string()).min(1)], { error: 'expected "all" or a list of workloads' })
  .superRefine((given, context) => {
    if (given === "all") return;
    for (const [i, name] of given.entries()) {
      if (workloadNames().includes(name)) continue;
      const message = `unknown workload '${name}'; ${hintOfNames(name, workloadNames())}`;
      context.addIssue({ code: "custom", message, path: [i] });
    }
  });

/** Each as `--faults` takes it; each is one run. */
const faultLists = z
  .array(
    text((list) => {
      if (list !== "all" && list !== "none")
        listOf(
          "fault",
          families.map(({ name }) => name),
        )(list);
      return list;
    }),
    { error: 'expected a list such as ["kill", "partition,pause", "all", "none"]' },
  )
  .min(1);

const seeds = z.union([z.int().min(1).max(1000), z.array(seed).min(1)], {
  error: "expected how many new seeds a night, or a list of seeds",
});

const runMatrix = fields({
  workloads: workloadList,
  cluster: z.enum(["embedded", "docker"]).default("embedded"),
  releases: z
    .array(z.string().regex(/^[\w.,-]+$/, "expected a release such as 3.9.5"))
    .min(1)
    .exactOptional(),
  image: z.string().exactOptional(),
  faults: faultLists,
  seeds: seeds.default(1),
  time: time.default(60_000),
  limit: time.exactOptional(),
  servers: z.int().min(1).max(9).default(3),
  observers: z.int().min(0).max(9).default(0),
  clients: z.int().min(1).max(1000).default(10),
  rate: z.int().min(0).max(1_000_000).exactOptional(),
  sessionTimeout: time.default(2000),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  defect: z.string().exactOptional(),
}).superRefine((run, context) => {
  const issue = (path: string, message: string): void =>
    context.addIssue({ code: "custom", message, path: [path] });
  if (run.cluster === "embedded" && run.releases !== undefined)
    issue("releases", 'real servers have releases: add "cluster": "docker", or leave it out');
  if (run.cluster === "embedded" && run.image !== undefined)
    issue("image", 'real servers have images: add "cluster": "docker", or leave it out');
  if (run.cluster === "docker" && run.defect !== undefined)
    issue("defect", "real servers have no seeded defect");
  if (run.image !== undefined && run.releases !== undefined)
    issue("image", "image and releases exclude each other");
  for (const name of namesOf(run.workloads)) {
    const problem = problemOf(() =>
      workloads.find((each) => each.name === name)?.prepare(texts(run.options)),
    );
    if (problem !== undefined) issue("options", problem);
  }
});

const exploration = fields({
  model: z.string().min(1),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  time: time.default(600_000),
  memory: size.default(2 * 2 ** 30),
  limit: time.exactOptional(),
});

const planSchema: z.ZodType<Plan> = fields({
  name: z
    .string()
    .regex(/^[a-z0-9][\w.-]*$/i, "expected letters, digits, dots and hyphens")
    .exactOptional(),
  time: time.exactOptional(),
  memory: size.exactOptional(),
  processors: z.int().min(1).max(1024).exactOptional(),
  attempts: z.int().min(1).max(100).default(3),
  keep: fields({ days: z.number().positive().exactOptional(), size: size.exactOptional() }).default({}),
  runs: z.array(runMatrix).default([]),
  explorations: z.array(exploration).default([]),
}).superRefine(({ runs, explorations }, context) => {
  if (runs.length + explorations.length === 0)
    context.addIssue({ code: "custom", message: "the plan has no runs and no explorations" });
});

const hint = "see: zabcheck nightly embedded --print";

/** Reads a plan from a file. Throws InputError with the file, the place in it, and what was expected there. */
export async function readPlan(
  path: string,
): Promise<{ readonly name: string; readonly written: WrittenPlan }> {
  const written = readJsonFile(path, hint);
  const plan = await parsePlan(written, path);
  const name =
    plan.name ??
    basename(path)
      .replace(/\.json$/, "")
      .replaceAll(/[^\w.-]+/g, "-");
  return { name: name.replace(/^[^a-z0-9]+/i, "") || "plan", written: written as WrittenPlan };
}

/** Throws InputError for what is no plan; `where` names its file. */
export async function parsePlan(written: unknown, where: string): Promise<Plan> {
  const parsed = planSchema.safeParse(written);
  if (!parsed.success) throw new InputError(`${where}: ${firstIssue(parsed.error)}`, hint);
  for (const [i, planned] of parsed.data.explorations.entries())
    await checkExploration(planned, `${where}: explorations[${i}]`);
  return parsed.data;
}

async function checkExploration(planned: PlannedExploration, where: string): Promise<void> {
  let command;
  try {
    command = commandFor(planned.model, (await loadModel(planned.model)).definition);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${where}.model: ${error.message}`, error.hint, error);
  }
  try {
    command.parse([...wordsOfOptions(planned.options)], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const message = error.message.replace(/^error: /, "").replaceAll(/\s+/g, " ");
    throw new InputError(
      `${where}.options: ${message}`,
      `see: zabcheck explore ${planned.model} --help`,
      error,
    );
  }
}

/** `{ "servers": 3, "symmetry": true }` as words of a command line. */
export function wordsOfOptions(options: OptionValues): readonly string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === true) return [`--${flag}`];
    return value === false ? [`--no-${flag}`] : [`--${flag}`, String(value)];
  });
}

/** A plan as a file holds it: each run and exploration on a line of its own. */
export function planText(written: WrittenPlan): string {
  const field = ([name, value]: readonly [string, Json]): string => {
    const lines = Array.isArray(value)
      ? `[\n${value.map((item) => `    ${oneLine(item)}`).join(",\n")}\n  ]`
      : oneLine(value);
    return `  ${JSON.stringify(name)}: ${lines}`;
  };
  return `{\n${Object.entries(written).map(field).join(",\n")}\n}`;
}

function oneLine(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value as { readonly [name: string]: Json });
  return `{ ${fields.map(([name, item]) => `${JSON.stringify(name)}: ${oneLine(item)}`).join(", ")} }`;
}

/** The workloads that a plan means. */
export function namesOf(list: "all" | readonly string[]): readonly string[] {
  return list === "all" ? workloadNames() : list;
}

/** Options as the command line gives them. */
export function texts(options: OptionValues): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
}

function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `${error.message} (${error.hint})`;
  }
}
