import { worst } from "../../checkers/index.ts";
import type { Explored } from "./histories.ts";
import type { Telling } from "./telling.ts";

/** An exploration as `--json` prints it. `directory`: where it is kept. */
export function outputOf(
  { result, examples }: Explored,
  { words, measures }: Telling,
  directory: string | null,
): object {
  const { verdicts, counterexample, ...rest } = result;
  const verdict = worst(verdicts.map((each) => each.verdict));
  const told = counterexample === null ? null : { ...counterexample, words };
  const histories = examples.map(({ promise, kind, counterexample: { length }, events }) => ({
    property: promise.name,
    kind,
    as: promise.as,
    length,
    events,
  }));
  return {
    verdict,
    checks: verdicts,
    ...rest,
    counterexample: told,
    measures,
    ...(histories.length === 0 ? {} : { histories }),
    ...(directory === null ? {} : { directory }),
  };
}
