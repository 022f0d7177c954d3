import { z } from "zod";
import { InputError, type Json } from "../../model/index.ts";
import type { Manifest } from "../../results/index.ts";
import type { RunFlags } from "../commands/run.ts";
import { readSchedule, type Schedule } from "../faults/schedule.ts";
import { firstIssue } from "../json-file.ts";

/** What decides a run besides its seed and schedule, as its manifest keeps it. */
export type RecordedFlags = Omit<RunFlags, "seed" | "schedule" | "printSchedule" | "results" | "json">;

/** Whatever else the command knows is kept as well: later options come back as they went. */
const recordedSchema: z.ZodType<RecordedFlags> = z.looseObject({
  cluster: z.enum(["embedded", "docker"]),
  servers: z.int().min(1).max(9),
  observers: z.int().min(0).max(9).exactOptional(),
  faults: z.string(),
  time: z.number().positive(),
  clients: z.int().min(1).max(1000),
  rate: z.int().min(0).exactOptional(),
  sessionTimeout: z.number().positive(),
  option: z.record(z.string(), z.string()),
  defect: z.string().exactOptional(),
  image: z.string().exactOptional(),
  release: z.string().exactOptional(),
  upgradeTo: z.string().exactOptional(),
  publish: z.int().exactOptional(),
});

/** For the manifest's parameters. */
export function recordedFlags(flags: RunFlags): { readonly [name: string]: Json } {
  const {
    seed: _seed,
    schedule: _schedule,
    printSchedule: _print,
    results: _results,
    json: _json,
    ...rest
  } = flags;
  return JSON.parse(JSON.stringify(rest)) as { readonly [name: string]: Json };
}

/** A run that can be run again: everything that its manifest says decides it. */
export interface RepeatableRun {
  readonly workload: string;
  readonly flags: RecordedFlags;
  readonly seed: number;
  readonly schedule: Schedule;
}

/** Throws InputError where the manifest is not of a run, or was written before its flags were kept. */
export function repeatable(manifest: Manifest, directory: string): RepeatableRun {
  const { parameters, scenario, seed, schedule } = manifest;
  if (parameters["flags"] === undefined) {
    const command = parameters["command"];
    throw new InputError(
      `${directory}: its manifest does not keep the options of the run`,
      typeof command === "string"
        ? `run it again with its command: ${command}`
        : "expected a run of zabcheck run",
    );
  }
  const parsed = recordedSchema.safeParse(parameters["flags"]);
  if (!parsed.success) {
    throw new InputError(
      `${directory}/manifest.json: parameters.flags: ${firstIssue(parsed.error)}`,
      "expected the options of zabcheck run, as it writes them",
    );
  }
  return {
    workload: scenario,
    flags: parsed.data,
    seed,
    schedule: readSchedule(schedule, `${directory}/manifest.json`),
  };
}
