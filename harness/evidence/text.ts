import { notApplied, withoutEffect, type FaultEvidence, type RunEvidence } from "../../results/index.ts";

/** What a run has exercised, for people: a line of figures, and the faults that came to nothing. */
export function evidenceLines(evidence: RunEvidence): readonly string[] {
  const idle = withoutEffect(evidence);
  const missing = notApplied(evidence);
  return [
    `exercised ${figures(evidence).join(", ")}`,
    ...(idle.length === 0 ? [] : [`no effect ${idle.map(nameOf).join(", ")}`]),
    ...(missing.length === 0
      ? []
      : [`not done  ${missing.map((fault) => `${nameOf(fault)} ${fault.outcome}`).join(", ")}`]),
    ...(evidence.knownDefects ?? []).map((defect) => `known     ${defect}`),
  ];
}

function figures(evidence: RunEvidence): readonly string[] {
  const { elections, deposedLeaders, synchronizations, staleReads } = evidence;
  const unknown = elections === null ? ["elections and synchronizations unknown (no log could be read)"] : [];
  return [
    ...unknown,
    ...told(elections, "election", "elections"),
    ...told(deposedLeaders, "deposed leader", "deposed leaders"),
    ...Object.entries(synchronizations ?? {}).map(([kind, count]) => `${count} ${kind}`),
    ...told(evidence.disconnections, "disconnection", "disconnections"),
    ...told(evidence.movedSessions, "moved session", "moved sessions"),
    ...told(evidence.expiredSessions, "expired session", "expired sessions"),
    ...told(evidence.unanswered, "unanswered operation", "unanswered operations"),
    ...told(staleReads, "stale read", "stale reads"),
  ];
}

function told(count: number | null, one: string, many: string): readonly string[] {
  return count === null ? [] : [`${count} ${count === 1 ? one : many}`];
}

function nameOf({ id, label }: FaultEvidence): string {
  return `${label} (fault ${id})`;
}
