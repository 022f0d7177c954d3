import { type Event, isFinalRead, type Json, type Operation, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";
import { groupBy } from "./group.ts";

/** A list as somebody saw it. */
interface Sight {
  readonly list: string;
  readonly elements: readonly string[];
  readonly isFinal: boolean;
  readonly invocation: Event;
  readonly completion: Event;
}

/**
 * Lists that only grow, each element appended once: `append {list, element}`, `read {list}` -> {list, elements}, and the
 * final reads of the znodes that the lists are, their elements with blanks between. Reads may be stale, so that of each
 * list all that is seen are prefixes of one order (as in Elle's list-append, Kingsbury & Alvaro, VLDB 2020, §4), in
 * which an append that began after another had ended comes later; elements were appended by somebody who was not
 * refused; and the final reads have every acknowledged one. O(n log n).
 */
export function checkAppendLists(events: readonly Event[]): Verdict[] {
  const order = new PromiseCheck("list-order");
  const kept = new PromiseCheck("list-nothing-lost");
  const operations = pairOperations(events);
  const appends = new Map<string, Operation>();
  for (const operation of operations) {
    if (operation.f !== "append") continue;
    appends.set(keyOf(field(operation, "list"), field(operation, "element")), operation);
  }
  const acknowledged = groupBy(
    [...appends.values()].filter(({ completion }) => completion?.type === "ok"),
    (operation) => field(operation, "list"),
  );
  const lists = new Set(operations.map((operation) => field(operation, "list")));
  const sights = operations.flatMap((operation) => sightIn(operation, lists));
  for (const sight of sights) {
    checkElements(sight, appends, order);
    if (sight.isFinal) checkKept(sight, acknowledged.get(sight.list) ?? [], kept);
  }
  for (const [list, own] of groupBy(sights, (sight) => sight.list)) {
    const byLength = own.toSorted((a, b) => a.elements.length - b.elements.length);
    checkPrefixes(byLength, order);
    const longest = byLength.at(-1);
    if (longest !== undefined) checkRealTime(list, longest, appends, order);
  }
  return [
    order.verdict("all that is seen of a list is the beginning of one order, that of real time", "reads"),
    kept.verdict("the final reads have every acknowledged element", "final reads"),
  ];
}

/** Each element once, and each one asked for by somebody who was not refused. */
function checkElements(
  { list, elements, invocation, completion }: Sight,
  appends: ReadonlyMap<string, Operation>,
  order: PromiseCheck,
): void {
  order.checked();
  const seen = new Set<string>();
  for (const element of elements) {
    if (seen.has(element)) order.broken(`${element} is in ${list} twice`, completion, [invocation]);
    seen.add(element);
    const append = appends.get(keyOf(list, element));
    if (append === undefined || append.invocation.index > completion.index)
      order.broken(`${element} is in ${list}, and nobody had appended it`, completion, [invocation]);
    else if (append.completion?.type === "fail") {
      const others = [append.invocation, append.completion, invocation];
      order.broken(`${element} is in ${list}, and was refused`, completion, others);
    }
  }
}

function checkKept(
  { list, elements, invocation, completion }: Sight,
  acknowledged: readonly Operation[],
  kept: PromiseCheck,
): void {
  kept.checked();
  const there = new Set(elements);
  for (const append of acknowledged) {
    const element = field(append, "element");
    if (there.has(element) || (append.completion?.index ?? 0) > invocation.index) continue;
    const others = [append.invocation, append.completion, invocation];
    kept.broken(`${element} was appended to ${list}, and is not there in the end`, completion, others);
  }
}

function checkPrefixes(byLength: readonly Sight[], order: PromiseCheck): void {
  for (const [i, sight] of byLength.entries()) {
    const longer = byLength[i + 1];
    if (longer === undefined) return;
    const at = sight.elements.findIndex((element, k) => element !== longer.elements[k]);
    if (at === -1) continue;
    const [one, other] = sight.completion.index < longer.completion.index ? [sight, longer] : [longer, sight];
    const what = `of ${sight.list}, element ${at} is seen as ${one.elements[at]} and as ${other.elements[at]}`;
    order.broken(what, other.completion, [one.invocation, one.completion, other.invocation]);
  }
}

/** Nothing stands behind what was begun only after it had ended. */
function checkRealTime(
  list: string,
  { elements }: Sight,
  appends: ReadonlyMap<string, Operation>,
  order: PromiseCheck,
): void {
  let latest: Operation | undefined;
  for (const element of elements) {
    const append = appends.get(keyOf(list, element));
    if (append === undefined) continue;
    const { completion, invocation } = append;
    if (latest !== undefined && completion !== undefined && isAnswered(completion)) {
      if (completion.index < latest.invocation.index) {
        const what = `${element} stands in ${list} behind ${field(latest, "element")}, which was begun later`;
        order.broken(what, latest.completion ?? latest.invocation, [
          invocation,
          completion,
          latest.invocation,
        ]);
      }
    }
    if (latest === undefined || invocation.index > latest.invocation.index) latest = append;
  }
}

function isAnswered({ type }: Event): boolean {
  return type === "ok";
}

function sightIn(operation: Operation, lists: ReadonlySet<string>): readonly Sight[] {
  const { f, invocation, completion } = operation;
  if (completion?.type !== "ok") return [];
  const value = completion.value as { readonly [name: string]: Json } | null;
  if (f === "read" && Array.isArray(value?.["elements"])) {
    const elements = (value["elements"] as readonly Json[]).map(String);
    return [{ list: field(operation, "list"), elements, isFinal: false, invocation, completion }];
  }
  const list = String(value?.["path"] ?? "");
  if (f !== "sync+getData" || !isFinalRead(invocation) || !lists.has(list)) return [];
  const elements = String(value?.["data"] ?? "")
    .split(" ")
    .filter((element) => element !== "");
  return [{ list, elements, isFinal: true, invocation, completion }];
}

function field({ invocation: { value } }: Operation, name: "list" | "element"): string {
  const fields = typeof value === "object" && value !== null ? (value as { readonly [n: string]: Json }) : {};
  return String(fields[name] ?? "");
}

function keyOf(list: string, element: string): string {
  return `${list} ${element}`;
}
