import type { RunFlags } from "./commands/run.ts";
import { formatDuration, quoted } from "./command-line.ts";

/** What `zabcheck run` does when no rate is given. Virtual time costs the wall's by the operation; real servers are to be kept busy. */
export function rateOf({ rate, cluster }: Pick<RunFlags, "rate" | "cluster">): number {
  return rate ?? (cluster === "docker" ? 2000 : 1000);
}

const flagsOfEnsembles = [
  ["defect", "defect"],
  ["image", "image"],
  ["release", "release"],
  ["upgradeTo", "upgrade-to"],
  ["publish", "publish"],
] as const;

/** The words after `zabcheck` of the command that repeats a run; what says where to keep it is not among them. */
export function wordsOfRun(name: string, flags: RunFlags, seed: number): readonly string[] {
  const words: (string | number)[] = ["run", name, "--cluster", flags.cluster, "--servers", flags.servers];
  if (flags.observers !== undefined && flags.observers > 0) words.push("--observers", flags.observers);
  if (flags.schedule === undefined) words.push("--faults", flags.faults);
  else words.push("--schedule", flags.schedule);
  words.push("--time", formatDuration(flags.time), "--seed", seed);
  words.push("--clients", flags.clients, "--rate", rateOf(flags));
  words.push("--session-timeout", formatDuration(flags.sessionTimeout));
  for (const [option, value] of Object.entries(flags.option)) words.push("--option", `${option}=${value}`);
  for (const [flag, option] of flagsOfEnsembles) {
    const value = flags[flag];
    if (value !== undefined) words.push(`--${option}`, value);
  }
  return words.map(String);
}

/** The command that repeats a run. */
export function commandOfRun(name: string, flags: RunFlags, seed: number): string {
  return ["zabcheck", ...wordsOfRun(name, flags, seed)].map(quoted).join(" ");
}
