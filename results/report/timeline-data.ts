import { pairOperations, type Event, type Json, type Operation } from "../../model/index.ts";

/** How an operation is coloured: by what it is if it is ok, else by how it ended. */
export const kinds = ["read", "write", "fail", "info", "other"] as const;

/** A history for the timeline in the browser: parallel lists, one entry an operation, times in µs since the first event. */
export interface TimelineData {
  readonly spanUs: number;
  /** Names of the rows, from the top. */
  readonly lanes: readonly string[];
  readonly names: readonly string[];
  readonly start: readonly number[];
  readonly length: readonly number[];
  readonly lane: readonly number[];
  /** Index into `kinds`. */
  readonly kind: readonly number[];
  /** Index into `names`. */
  readonly f: readonly number[];
  readonly process: readonly (number | string)[];
  /** The invocation's index in the history. */
  readonly index: readonly number[];
  /** What is known of an operation besides, by its position in these lists. */
  readonly text: { readonly [position: string]: string };
  readonly faults: readonly {
    readonly family: string;
    readonly label: string;
    readonly start: number;
    readonly end: number;
  }[];
  /** Positions of the operations that a violation involves, in its order. */
  readonly marked: readonly number[];
}

/** Operations that carry their text in the page; of more, only those around a violation do. */
const textsMax = 30_000;
const textsAround = 300;

/** Prepares a history; `involved` are the indexes of events that violations name. Throws InputError where it breaks the rules of histories. */
export function timelineData(events: readonly Event[], involved: readonly number[]): TimelineData {
  const t0 = events[0]?.time ?? 0;
  const endNs = events.at(-1)?.time ?? t0;
  const us = (ns: number): number => Math.round((ns - t0) / 1000);
  const operations: readonly Operation[] = [
    ...pairOperations(events).filter(({ process }) => typeof process === "number" || isClient(process)),
    ...beliefs(events),
  ];
  const { lanes, laneOf } = assignLanes(operations, endNs);
  const names = new Map<string, number>();
  const positions = positionsOf(operations, involved);
  const text: { [position: string]: string } = {};
  operations.forEach((operation, i) => {
    const near = operations.length <= textsMax || positions.some((at) => Math.abs(at - i) <= textsAround);
    if (near) text[i] = describe(operation);
  });
  return {
    spanUs: Math.max(1, us(endNs)),
    lanes,
    names: nameList(operations, names),
    start: operations.map(({ invocation }) => us(invocation.time)),
    length: operations.map(
      ({ invocation, completion }) => us(completion?.time ?? endNs) - us(invocation.time),
    ),
    lane: operations.map((operation) => laneOf(operation)),
    kind: operations.map((operation) => kinds.indexOf(kindOf(operation))),
    f: operations.map(({ f }) => names.get(f) ?? 0),
    process: operations.map(({ process }) => process),
    index: operations.map(({ invocation }) => invocation.index),
    text,
    faults: faultIntervals(events).map(({ family, label, startNs, endNs: end }) => ({
      family,
      label,
      start: us(startNs),
      end: us(end),
    })),
    marked: positions,
  };
}

export function kindOf(operation: Operation): (typeof kinds)[number] {
  const type = operation.completion?.type;
  if (type === "fail") return "fail";
  if (type !== "ok") return "info";
  if (/^(sync\+)?(get|exists|read|list|check$)/.test(operation.f)) return "read";
  return /^(sync|setWatches|addWatch|removeWatches|closeSession|lead)$/.test(operation.f) ? "other" : "write";
}

export interface FaultInterval {
  /** Position in the schedule. */
  readonly id: number;
  readonly family: string;
  /** "partition leader-alone", "kill majority". */
  readonly label: string;
  readonly startNs: number;
  readonly endNs: number;
}

/** From the moment a fault was about to be applied to the moment it was undone, or the end of the history. */
export function faultIntervals(events: readonly Event[]): readonly FaultInterval[] {
  const endNs = events.at(-1)?.time ?? 0;
  const open = new Map<number, FaultInterval & { endNs: number }>();
  for (const { process, f, value, time } of events) {
    if (process !== "faults" || !isRecord(value) || typeof value["id"] !== "number") continue;
    const { id } = value;
    if (value["action"] === "apply") {
      open.set(id, { id, family: f, label: faultLabel(f, value), startNs: time, endNs });
    } else if (value["action"] === "undone" || value["action"] === "failed") {
      const fault = open.get(id);
      if (fault !== undefined) fault.endNs = time;
    } else if (value["action"] === "skipped") {
      // It was not for the ensemble as it was then: nothing was done.
      open.delete(value["id"]);
    }
  }
  return [...open.values()];
}

/** A few words for a fault, from its plan and, where it was resolved, the servers that it hit. */
export function faultLabel(family: string, value: { readonly [name: string]: Json }): string {
  const plan = isRecord(value["plan"]) ? value["plan"] : {};
  const what = plan["shape"] ?? plan["around"] ?? plan["change"] ?? plan["target"];
  const fault = isRecord(value["fault"]) ? value["fault"] : {};
  const names = ["servers", "leaving", "joining"].flatMap((part) =>
    Array.isArray(fault[part]) ? (fault[part] as readonly Json[]) : [],
  );
  const servers = names.length > 0 ? `: ${names.join(", ")}` : "";
  const aimed = what === "leader-alone" || plan["around"] === "leader";
  const leader = aimed && typeof value["leader"] === "string" ? `: ${value["leader"]}` : "";
  const words = typeof what === "string" && what !== "one" ? ` ${what}` : "";
  return `${family}${words}${servers}${leader}`.replace(/^([\w-]+): /, "$1 ");
}

/** A few words for an operation: what was asked, what was answered, by whom. */
export function describe({ f, invocation, completion }: Operation): string {
  const asked = brief(invocation.value);
  const answered = completion === undefined ? "no answer" : answer(completion);
  const where = completion?.server ?? invocation.server;
  const zxid = completion?.zxid === undefined ? "" : `\nzxid 0x${completion.zxid.toString(16)}`;
  return `${f} ${asked}\n${answered}${zxid}${where === undefined ? "" : `${zxid === "" ? "\n" : " "}at ${where}`}`;
}

function answer(completion: Event): string {
  if (completion.type === "ok") return `ok ${result(completion.value)}`;
  return `${completion.type}${completion.error === undefined ? "" : `: ${completion.error}`}`;
}

/** What the invocation's value says, without braces and quotes. */
export function brief(value: Json): string {
  return cut(
    isRecord(value)
      ? Object.entries(value)
          .map(([k, v]) => (k === "path" ? show(v) : `${k}=${show(v)}`))
          .join(" ")
      : show(value),
    160,
  );
}

/** What a completion's value adds: data and version of a znode, or the whole of it. */
export function result(value: Json): string {
  if (!isRecord(value)) return cut(show(value), 160);
  const parts: string[] = [];
  if ("data" in value) parts.push(show(value["data"] ?? null));
  if (isRecord(value["stat"])) parts.push(`version ${show(value["stat"]["version"] ?? null)}`);
  if (Array.isArray(value["children"]))
    parts.push(`${value["children"].length} children: ${value["children"].slice(0, 4).map(show).join(" ")}`);
  return parts.length === 0 ? brief(value) : cut(parts.join(", "), 160);
}

function show(value: Json): string {
  return typeof value === "string" ? (value === "" ? '""' : value) : JSON.stringify(value);
}

function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

function nameList(operations: readonly Operation[], names: Map<string, number>): readonly string[] {
  for (const { f } of operations) if (!names.has(f)) names.set(f, names.size);
  return [...names.keys()];
}

/** Leaderships as their clients believed in them, shown as operations of lanes of their own. */
function beliefs(events: readonly Event[]): readonly Operation[] {
  const open = new Map<string, Event>();
  const found: Operation[] = [];
  for (const event of events) {
    if (event.process !== "leaders" || !isRecord(event.value)) continue;
    const candidate = String(event.value["candidate"]);
    const invocation = open.get(candidate);
    if (event.f === "lead") open.set(candidate, event);
    else if (invocation !== undefined) {
      open.delete(candidate);
      found.push({ process: "leaders", f: "lead", invocation, completion: { ...event, type: "ok" } });
    }
  }
  for (const invocation of open.values())
    found.push({ process: "leaders", f: "lead", invocation, completion: undefined });
  return found.toSorted((a, b) => a.invocation.time - b.invocation.time);
}

type Group = "process" | "client" | "leader";
const groups: readonly Group[] = ["process", "client", "leader"];

function groupOf(key: number | string): Group {
  return typeof key === "number" ? "process" : isClient(key) ? "client" : "leader";
}

/** Whether it is the process of what a client does above znodes. */
function isClient(process: number | string): boolean {
  return typeof process === "string" && /^client-\d+$/.test(process);
}

/**
 * Rows: a process keeps one from its first to its last event, and a later process may take it over. So the row of a
 * worker whose processes replace each other stays one row.
 */
function assignLanes(
  operations: readonly Operation[],
  endNs: number,
): { lanes: readonly string[]; laneOf: (operation: Operation) => number } {
  const lives = new Map<number | string, { first: number; last: number }>();
  const keyOf = (operation: Operation): number | string =>
    typeof operation.process === "number" || isClient(operation.process)
      ? operation.process
      : `${operation.process} ${operation.invocation.index}`;
  for (const operation of operations) {
    const key = keyOf(operation);
    const first = operation.invocation.time;
    const last = operation.completion?.time ?? endNs;
    const life = lives.get(key);
    if (life === undefined) lives.set(key, { first, last });
    else life.last = Math.max(life.last, last);
  }
  const freeAt: { group: Group; time: number; first: number | string }[] = [];
  const byKey = new Map<number | string, number>();
  for (const [key, { first, last }] of [...lives].toSorted(([, a], [, b]) => a.first - b.first)) {
    const group = groupOf(key);
    let lane = freeAt.findIndex((row) => row.group === group && row.time <= first);
    if (lane === -1) lane = freeAt.push({ group, time: 0, first: key }) - 1;
    freeAt[lane]!.time = last;
    byKey.set(key, lane);
  }
  // Processes first, then what clients do with them, then leaderships; each group keeps its order.
  const order = freeAt
    .map((_, i) => i)
    .toSorted((a, b) => groups.indexOf(freeAt[a]!.group) - groups.indexOf(freeAt[b]!.group));
  const rank = new Map(order.map((lane, i) => [lane, i]));
  let client = 0;
  const lanes = order.map((lane) => {
    const { group, first } = freeAt[lane]!;
    return group === "leader" ? "leads" : group === "process" ? `client ${client++}` : String(first);
  });
  return { lanes, laneOf: (operation) => rank.get(byKey.get(keyOf(operation)) ?? 0) ?? 0 };
}

/** Positions of the operations whose invocation or completion is involved, in the order given, each once. */
function positionsOf(operations: readonly Operation[], involved: readonly number[]): readonly number[] {
  if (involved.length === 0) return [];
  const byEvent = new Map<number, number>();
  operations.forEach(({ invocation, completion }, i) => {
    byEvent.set(invocation.index, i);
    if (completion !== undefined) byEvent.set(completion.index, i);
  });
  return [...new Set(involved.flatMap((index) => byEvent.get(index) ?? []))];
}

function isRecord(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
