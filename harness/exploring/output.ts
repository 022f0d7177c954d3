import { worst, type ExplorationResult } from "../../checkers/index.ts";

/** An exploration as `--json` prints it. `directory`: where it is kept. */
export function outputOf(result: ExplorationResult, directory: string | null): object {
  const { verdicts, counterexample, ...rest } = result;
  const verdict = worst(verdicts.map((each) => each.verdict));
  return { verdict, checks: verdicts, ...rest, counterexample, ...(directory === null ? {} : { directory }) };
}
