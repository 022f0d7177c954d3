import { type Event, isFinalRead, type Json, nodeName, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

/**
 * What is left of a queue in the end (the final reads of the children of `path`, each named by its element and a number)
 * is what was put in and did not come out: nothing acknowledged is lost, nothing that came out is back, and nothing is
 * there that nobody put in. An element whose `dequeue` ended `info`, naming it, may be there or not. O(n).
 */
export function checkQueueRemains(events: readonly Event[], path: string): Verdict {
  const promise = new PromiseCheck("queue-remains");
  const put = new Map<string, Event>();
  const acknowledged = new Map<string, Event>();
  const out = new Map<string, Event>();
  const doubtful = new Set<string>();
  for (const { f, invocation, completion } of pairOperations(events)) {
    const element = String(f === "enqueue" ? invocation.value : completion?.value);
    if (f === "enqueue" && completion?.type !== "fail") {
      put.set(element, invocation);
      if (completion?.type === "ok") acknowledged.set(element, completion);
    } else if (f === "dequeue" && completion?.type === "ok" && completion.value !== null) {
      out.set(element, completion);
    } else if (f === "dequeue" && completion?.type === "info") doubtful.add(element);
  }
  for (const { invocation, completion } of finalLists(events, path)) {
    promise.checked();
    const left = new Set(childrenIn(completion).map(elementOf));
    for (const [element, event] of acknowledged) {
      if (left.has(element) || out.has(element) || doubtful.has(element)) continue;
      promise.broken(`${element} was put in, and is neither out nor left`, completion, [event, invocation]);
    }
    for (const element of left) {
      const event = out.get(element);
      if (event !== undefined)
        promise.broken(`${element} came out, and is still there`, completion, [event, invocation]);
      if (!put.has(element))
        promise.broken(`${element} is left, and nobody put it in`, completion, [invocation]);
    }
  }
  return promise.verdict("what is left was put in and did not come out", "final lists");
}

/**
 * The events of a queue, with what became of operations that were not answered, as far as the final lists tell. One took
 * effect at a time that is not known if its element is seen, or is gone, and could not otherwise: it ends at the
 * history's end. One that took no effect is left out. A search for an order need not guess any more.
 *
 * Each event comes with the one that it was made of.
 */
export function resolvedQueue(
  events: readonly Event[],
  path: string,
): readonly { readonly event: Event; readonly origin: Event }[] {
  const operations = pairOperations(events).filter(({ f }) => f === "enqueue" || f === "dequeue");
  const final = finalLists(events, path);
  const left = new Set(final.flatMap(({ completion }) => childrenIn(completion).map(elementOf)));
  const out = new Set(
    operations.flatMap(({ f, completion }) =>
      f === "dequeue" && completion?.type === "ok" ? [String(completion.value)] : [],
    ),
  );
  const known = new Set(
    operations.flatMap(({ completion }) => (completion === undefined ? [] : [completion])),
  );
  const invocations = new Set(operations.map(({ invocation }) => invocation));
  const late: { readonly event: Event; readonly origin: Event }[] = [];
  const renamed = new Map<Event, Event>();
  /** As its client goes on, the operation gets a process of its own. */
  const end = (invocation: Event, { value }: Event, origin: Event): void => {
    const own = { ...invocation, process: `${invocation.process} ${invocation.index}` };
    renamed.set(invocation, own);
    late.push({ event: { ...own, type: "ok", value, time }, origin });
  };
  const time = events.at(-1)?.time ?? 0;
  /** Of several who may have taken an element one has. */
  const takenBy = new Set<string>();
  const put = new Set(
    operations.flatMap(({ f, invocation, completion }) =>
      f === "enqueue" && completion?.type !== "fail" ? [String(invocation.value)] : [],
    ),
  );
  for (const { f, invocation, completion } of operations) {
    if (f !== "dequeue" || completion?.type !== "info" || final.length === 0) continue;
    const element = String(completion.value);
    known.delete(completion);
    const tookIt = put.has(element) && !left.has(element) && !out.has(element) && !takenBy.has(element);
    if (!tookIt) invocations.delete(invocation);
    else end(invocation, completion, completion);
    takenBy.add(element);
  }
  for (const { f, invocation, completion } of operations) {
    if (f !== "enqueue" || (completion !== undefined && completion.type !== "info") || final.length === 0)
      continue;
    const element = String(invocation.value);
    if (completion !== undefined) known.delete(completion);
    const isSeen = left.has(element) || out.has(element) || takenBy.has(element);
    if (!isSeen) invocations.delete(invocation);
    else end(invocation, invocation, completion ?? invocation);
  }
  const own = events.filter((event) => known.has(event) || invocations.has(event));
  return [...own.map((event) => ({ event: renamed.get(event) ?? event, origin: event })), ...late];
}

/** The final reads of the children of a path that were answered. */
function finalLists(
  events: readonly Event[],
  path: string,
): readonly { readonly invocation: Event; readonly completion: Event }[] {
  return pairOperations(events).flatMap(({ f, invocation, completion }) => {
    const isOne = f === "sync+getChildren" && isFinalRead(invocation) && completion?.type === "ok";
    const asked = (invocation.value as { readonly path?: Json } | null)?.path;
    return isOne && asked === path ? [{ invocation, completion }] : [];
  });
}

function childrenIn({ value }: Event): readonly string[] {
  return ((value as { readonly children?: Json } | null)?.children ?? []) as readonly string[];
}

/** Without the number that the server appended, and the hyphen before it. */
function elementOf(child: string): string {
  return nodeName(child).replace(/-\d{10}$/, "");
}
