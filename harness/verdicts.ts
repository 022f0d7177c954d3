import type { Verdict, Violation } from "../checkers/index.ts";

/** A verdict without what a checker knows besides, so that it can be stored and printed. */
export function plainVerdict(verdict: Verdict): Verdict {
  const { name, detail, vacuous, violation, counts, evidence } = verdict;
  return {
    name,
    verdict: verdict.verdict,
    detail,
    ...(vacuous === undefined ? {} : { vacuous }),
    ...(violation === undefined ? {} : { violation: bounded(violation) }),
    ...(counts === undefined ? {} : { counts }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** Events of a violation that are kept; the history holds them all. */
const eventsMax = 60;

/** A violation with the events nearest to the earliest that cannot be explained, where there are too many to look at. */
function bounded(violation: Violation): Violation {
  const { events, earliest, summary } = violation;
  if (events.length <= eventsMax) return violation;
  const centre = earliest?.index ?? events.at(-1)?.index ?? 0;
  const kept = events
    .toSorted((a, b) => Math.abs(a.index - centre) - Math.abs(b.index - centre))
    .slice(0, eventsMax)
    .toSorted((a, b) => a.index - b.index);
  return {
    ...violation,
    summary: `${summary} (${kept.length} of ${events.length} events are shown)`,
    events: kept,
  };
}

/** The lines of a run's verdicts; those that nothing exercised in one line at the end. */
export function allVerdictLines(verdicts: readonly Verdict[]): readonly string[] {
  const idle = verdicts.filter(({ vacuous, verdict }) => vacuous === true && verdict === "holds");
  const told = verdicts.filter((verdict) => !idle.includes(verdict)).flatMap(verdictLines);
  if (idle.length === 0) return told;
  return [...told, `vacuous   nothing exercised ${idle.map(({ name }) => name).join(", ")}`];
}

/** The lines that a verdict is printed as. */
export function verdictLines(verdict: Verdict): readonly string[] {
  const mark = { holds: "holds   ", violated: "VIOLATED", unknown: "unknown " }[verdict.verdict];
  const vacuous = verdict.vacuous === true ? " (vacuous: nothing exercised it)" : "";
  const first = `${mark}  ${verdict.name.padEnd(24)} ${verdict.detail}${vacuous}`;
  if (verdict.violation === undefined) return [first];
  const { summary, events, earliest } = verdict.violation;
  const shown = events.slice(-8).map((event) => {
    const here = event.index === earliest?.index ? ">" : " ";
    const evidence = [
      event.server,
      event.zxid === undefined ? undefined : `zxid 0x${event.zxid.toString(16)}`,
      event.error,
    ];
    const value = JSON.stringify(event.value);
    return `        ${here} event ${event.index} at ${(event.time / 1e9).toFixed(3)} s: ${event.process} ${event.type} ${event.f} ${value.length > 120 ? `${value.slice(0, 119)}…` : value} ${evidence.filter((part) => part !== undefined).join(", ")}`;
  });
  const more = events.length > 8 ? [`          and ${events.length - 8} events before them`] : [];
  return [first, ...(summary === verdict.detail ? [] : [`          ${summary}`]), ...shown, ...more];
}
