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
