import { worst, type ExplorationResult } from "../../checkers/index.ts";

/** An exploration as `--json` prints it. */
export function outputOf(result: ExplorationResult): object {
  const { verdicts, counterexample, ...rest } = result;
  return {
    verdict: worst(verdicts.map(({ verdict }) => verdict)),
    checks: verdicts,
    ...rest,
    counterexample,
  };
}
