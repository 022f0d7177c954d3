import { type Event, type Json, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

interface Seen {
  readonly version: number;
  /** The number of what was written; -1 where there was nothing. */
  readonly number: number;
  readonly event: Event;
}

/**
 * A configuration with one writer, who numbers what it writes: `write n`; `read` and `catch-up` -> {version, number},
 * -1 for both where there is none. What is read was written before; later versions are later writes; and who has caught
 * up, which is when nobody writes any more, has whatever was acknowledged. O(n log n).
 */
export function checkConfiguration(events: readonly Event[]): Verdict[] {
  const order = new PromiseCheck("configuration-order");
  const last = new PromiseCheck("configuration-last");
  const written = new Map<number, Event>();
  const acknowledged: Event[] = [];
  const seen: Seen[] = [];
  const caughtUp: Seen[] = [];
  for (const { f, invocation, completion } of pairOperations(events)) {
    if (f === "write" && typeof invocation.value === "number") {
      written.set(invocation.value, invocation);
      if (completion?.type === "ok") acknowledged.push(completion);
    }
    if ((f !== "read" && f !== "catch-up") || completion?.type !== "ok") continue;
    const one = seenIn(completion);
    if (one === undefined) continue;
    seen.push(one);
    if (f === "catch-up") caughtUp.push(one);
  }
  for (const { number, version, event } of seen) {
    order.checked();
    const source = written.get(number);
    if (version >= 0 && (source === undefined || source.index > event.index))
      order.broken(`${number} was read, and had not been written`, event, [source]);
  }
  const byVersion = seen.toSorted((a, b) => a.version - b.version || a.number - b.number);
  for (const [i, one] of byVersion.entries()) {
    const next = byVersion[i + 1];
    if (
      next === undefined ||
      (one.version === next.version ? one.number === next.number : one.number <= next.number)
    )
      continue;
    const what = `version ${one.version} is ${one.number}, and version ${next.version} is ${next.number}`;
    order.broken(what, next.event, [one.event]);
  }
  for (const { number, event } of caughtUp) {
    last.checked();
    const missed = acknowledged.find(({ value, index }) => index < event.index && Number(value) > number);
    if (missed !== undefined)
      last.broken(`${number} is the last that was read, after ${String(missed.value)} was written`, event, [
        missed,
      ]);
  }
  return [
    order.verdict("what is read was written, and later versions are later writes", "reads"),
    last.verdict("who has caught up has the last that was acknowledged", "readers"),
  ];
}

function seenIn(event: Event): Seen | undefined {
  const fields = event.value as { readonly [name: string]: Json } | null;
  const [version, number] = [fields?.["version"], fields?.["number"]];
  return typeof version === "number" && typeof number === "number" ? { version, number, event } : undefined;
}
