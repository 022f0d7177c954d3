import { type Event, isFinalRead, type Json, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

/**
 * Ephemeral znodes as their clients see them, without a look at zxids: a session that asks for one that it made finds it,
 * on whatever server, unless somebody asked for its deletion; and in the end, when every session is over, the final
 * lists of the children of `parent` hold none. O(n).
 */
export function checkOwnEphemerals(events: readonly Event[], parent: string): Verdict[] {
  const stay = new PromiseCheck("own-ephemerals-stay");
  const go = new PromiseCheck("ephemerals-go");
  const operations = pairOperations(events);
  const made = new Map<string, Event>();
  const deleted = new Set(
    operations.filter(({ f }) => f === "delete").map(({ invocation }) => text(invocation, "path")),
  );
  for (const { f, invocation, completion } of operations) {
    const path = text(invocation, "path");
    if (completion === undefined) continue;
    if (f === "create" && completion.type === "ok") made.set(path, completion);
    if (f === "exists" || f === "sync+exists") {
      const own = made.get(path);
      if (own === undefined || own.session !== completion.session || deleted.has(path)) continue;
      if (completion.type === "ok") stay.checked();
      else if (completion.error === "NoNode") {
        const what = `session ${String(own.session)} made ${path}, and does not find it at ${completion.server ?? "a server"}`;
        stay.broken(what, completion, [own, invocation]);
      }
    }
    if (f !== "sync+getChildren" || path !== parent || completion.type !== "ok") continue;
    if (!isFinalRead(invocation)) continue;
    go.checked();
    for (const child of (fields(completion)["children"] ?? []) as readonly string[]) {
      const own = made.get(`${parent}/${child}`);
      go.broken(`${child} is there in the end, and its session is over`, completion, [own, invocation]);
    }
  }
  return [
    stay.verdict("a session finds the ephemeral znodes that it made", "looks"),
    go.verdict("ephemeral znodes are gone when their sessions are over", "final lists"),
  ];
}

function fields({ value }: Event): { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null ? (value as { readonly [name: string]: Json }) : {};
}

function text(event: Event, name: string): string {
  return String(fields(event)[name] ?? "");
}
