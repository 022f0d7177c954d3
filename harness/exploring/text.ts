import { describeBounds, type Counterexample, type ExplorationResult } from "../../checkers/index.ts";

/** An exploration's outcome for people. */
export function linesOf(result: ExplorationResult): readonly string[] {
  const number = (value: number): string => value.toLocaleString("en");
  const wide = Math.max(...result.actions.map(({ name }) => name.length), 6);
  return [
    `${result.model}: ${describeBounds(result)}`,
    `${number(result.generated)} generated, ${number(result.distinct)} distinct, depth ${result.depth}; ` +
      `${result.seconds.toFixed(1)} s, ${number(Math.round(result.generatedPerSecond))} states/s`,
    "",
    `${"action".padEnd(wide)} ${"generated".padStart(14)} ${"new".padStart(14)}`,
    ...result.actions.map(
      ({ name, generated, distinct }) =>
        `${name.padEnd(wide)} ${number(generated).padStart(14)} ${number(distinct).padStart(14)}` +
        (generated === 0 ? "  never enabled" : ""),
    ),
    "",
    ...result.witnesses.map(({ name, seen }) => `${seen ? "seen    " : "NOT SEEN"}  ${name}`),
    ...result.verdicts.map(
      ({ name, verdict, vacuous, detail }) =>
        `${(vacuous === true ? "vacuous" : verdict).padEnd(8)}  ${name}: ${detail}`,
    ),
    ...(result.counterexample === null ? [] : ["", ...counterexampleLines(result.counterexample)]),
    "",
    `probability that a state was missed (two of one fingerprint): ${result.collisionProbability.toExponential(1)}`,
  ];
}

export function counterexampleLines(counterexample: Counterexample): readonly string[] {
  return [
    `${counterexample.property} is violated; the shortest way there has ${counterexample.length} states:`,
    ...counterexample.steps.flatMap(({ action, parameters, changes }, index) => [
      `${String(index + 1).padStart(3)}. ${action}(${parameters.map(showValue).join(", ")})`,
      ...changes.map(
        ({ entry, before, after }) => `       ${entry}: ${showValue(before)} -> ${showValue(after)}`,
      ),
    ]),
  ];
}

/** An encoded value as a specification would write it. */
export function showValue(encoded: unknown): string {
  if (typeof encoded !== "object" || encoded === null)
    return typeof encoded === "string" ? encoded : String(encoded);
  if (Array.isArray(encoded)) return `<<${encoded.map(showValue).join(", ")}>>`;
  const record = encoded as Record<string, unknown>;
  if (typeof record["#id"] === "string") return record["#id"];
  if (Array.isArray(record["#set"])) return `{${record["#set"].map(showValue).join(", ")}}`;
  return `[${Object.entries(record)
    .map(([name, value]) => `${name} ${showValue(value)}`)
    .join(", ")}]`;
}
