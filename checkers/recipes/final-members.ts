import { type Event, isSettling, type Json, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

/** What is known of a member at a time: since which event it belongs to the group, or does not. */
interface Standing {
  readonly belongs: boolean;
  readonly event: Event;
}

/**
 * Who belongs to a group in the end: once clients have settled, a consumer's `catch-up` -> list shows all who had joined
 * before and stayed, and none who had left, or was `gone` (an info event: it crashed, or was told that its session had
 * expired), before that and did not come back. Consumers catch up later than any session takes to expire. O(n).
 */
export function checkFinalMembers(events: readonly Event[]): Verdict {
  const promise = new PromiseCheck("final-members");
  const begin = events.find((event) => isSettling(event, "settling"));
  const before = new Map<string, Standing>();
  /** Members of whom something was told since. */
  const moved = new Set<string>();
  const note = (member: Json, standing: Standing): void => {
    if (begin === undefined || standing.event.index < begin.index) before.set(String(member), standing);
    else moved.add(String(member));
  };
  const catchUps = new Map<Event, Event>();
  const begun = new Set<Event>();
  const ended = new Map<Event, Event>();
  for (const { f, invocation, completion } of pairOperations(events)) {
    if (f === "catch-up" && completion?.type === "ok") catchUps.set(completion, invocation);
    if (f !== "join" && f !== "leave") continue;
    begun.add(invocation);
    if (completion?.type === "ok") ended.set(completion, invocation);
  }
  for (const event of events) {
    const { f, value } = event;
    if (f === "gone") note(value, { belongs: false, event });
    else if (ended.has(event)) note(value, { belongs: f === "join", event });
    // As long as it is under way nobody knows.
    else if (begun.has(event) && begin !== undefined && event.index < begin.index)
      before.delete(String(value));
    else if (begun.has(event)) moved.add(String(value));
    const invocation = catchUps.get(event);
    if (invocation === undefined || begin === undefined || event.index < begin.index) continue;
    promise.checked();
    const listed = new Set((value as readonly Json[]).map(String));
    for (const [member, { belongs, event: since }] of before) {
      if (moved.has(member) || belongs === listed.has(member)) continue;
      const what = belongs ? "belongs to the group, and is not listed" : "is gone for good, and is listed";
      promise.broken(`${member} ${what} in the end`, event, [since, invocation]);
    }
  }
  return promise.verdict("in the end lists show who is there, and nobody else", "lists");
}
