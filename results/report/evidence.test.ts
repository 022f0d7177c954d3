import { expect, test } from "vitest";
import type { RunEvidence } from "../store/run-evidence.ts";
import { evidenceSection } from "./evidence.ts";
import { markup } from "./html.ts";

const fault = { id: 0, family: "kill", operationsInFlight: 7, watchesPending: 3 } as const;
const evidence: RunEvidence = {
  elections: null,
  deposedLeaders: null,
  synchronizations: null,
  disconnections: 12,
  movedSessions: 0,
  expiredSessions: 0,
  unanswered: 4,
  staleReads: 5,
  staleSyncedReads: null,
  faults: [
    { ...fault, label: "kill <one>", outcome: "applied", effects: { disconnections: 12 } },
    { ...fault, id: 1, label: "kill all", outcome: "applied", effects: {} },
    { ...fault, id: 2, label: "kill leader", outcome: "skipped", effects: {} },
  ],
};

test("a fault without an effect, one that was skipped and what is not known are told as such", () => {
  const { note, body } = evidenceSection(evidence);
  const text = markup`${body}`.text;
  expect(note).toBe("2 of 3 faults were applied");
  expect(text).toMatch(/kill &#60;one&#62;[^]*disconnections 12/);
  expect(text).toMatch(/kill all[^]*no effect was seen/);
  expect(text).toMatch(/kill leader[^]*skipped/);
  expect(text).toContain("elections <b>not known</b>");
});
