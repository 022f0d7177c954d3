import { linearizable, type Verdict } from "../../checkers/index.ts";
import {
  casRegister,
  nodeName,
  parentPath,
  setOfValues,
  isFinalRead,
  versionedRegister,
  type Event,
  type Json,
  type SequentialSpecification,
} from "../../model/index.ts";
import { plainVerdict } from "../verdicts.ts";
import type { Check } from "./workload.ts";

/*
 * Checks that take the ensemble for a black box: what clients asked and were answered is linearizable. No zxid is
 * believed. Plain reads may be stale and are left out; the final reads are not.
 */

/** How long a search may take before it says unknown. */
const searchMs = 60_000;

const registerFunctions: ReadonlySet<string> = new Set(["setData", "create", "delete"]);

/**
 * ZooKeeper promises linearizable writes; plain reads may be stale. So the black box is judged by its writes (their
 * answers tell versions and errors) and the final reads, each znode on its own; no zxid is believed.
 */
export function writesLinearizable(isRegister: (path: string) => boolean): Check {
  const name = "writes-by-search";
  return {
    name,
    async run(history) {
      const own = asVersionedRegisters(history, isRegister);
      const found = linearizable(own, versionedRegister("absent"), { timeMs: searchMs });
      return { ...withOriginals(plainVerdict(found), history), name };
    },
  };
}

/**
 * The writes of some znodes as calls of versioned registers. A definite error is an answer (`ok` with `{error}`):
 * BadVersion tells about the znode. Of what was never sent nothing is left.
 */
function asVersionedRegisters(
  history: readonly Event[],
  isRegister: (path: string) => boolean,
): readonly Event[] {
  const open = new Set<number | string>();
  return history.flatMap((event): readonly Event[] => {
    if (event.type === "invoke") {
      const path = field(event.value, "path");
      const taken =
        typeof path === "string" &&
        isRegister(path) &&
        (registerFunctions.has(event.f) || (event.f === "sync+getData" && isFinalRead(event)));
      if (!taken) return [];
      open.add(event.process);
    } else if (!open.delete(event.process)) {
      return [];
    }
    const f = event.f === "sync+getData" ? "getData" : event.f;
    if (event.type !== "fail" || event.zxid === undefined) return [{ ...event, f }];
    return [{ ...event, f, type: "ok", value: { error: event.error ?? "unknown" } }];
  });
}

/** The verdict with the history's own events in place of those made for the checker, by their index. */
export function withOriginals(verdict: Verdict, history: readonly Event[]): Verdict {
  if (verdict.violation === undefined) return verdict;
  const { events, earliest, summary } = verdict.violation;
  const original = (event: Event): Event => history[event.index] ?? event;
  return {
    ...verdict,
    violation: {
      summary,
      events: events.map(original),
      ...(earliest === undefined ? {} : { earliest: original(earliest) }),
    },
  };
}

function field(value: Json, name: string): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })[name]
    : undefined;
}

/** Compare-and-set as its clients mean it: `cas {path, old, new}` of processes with a name, and the final reads. */
export function casLinearizable(initial: string): Check {
  const name = "cas-by-search";
  return {
    name,
    async run(history) {
      const own = asCasRegisters(history);
      const found = linearizable(own, eachPath(casRegister(initial)), { timeMs: searchMs });
      return { ...withOriginals(plainVerdict(found), history), name };
    },
  };
}

/** A definite refusal found another value: `ok` with false. */
function asCasRegisters(history: readonly Event[]): readonly Event[] {
  const reading = new Set<number | string>();
  return history.flatMap((event): readonly Event[] => {
    const { type, process, value } = event;
    if (event.f === "cas") return type === "fail" ? [{ ...event, type: "ok", value: false }] : [event];
    if (event.f !== "sync+getData") return [];
    if (type === "invoke" && isFinalRead(event)) reading.add(process);
    else if (!reading.delete(process)) return [];
    return [{ ...event, f: "read", value: type === "ok" ? (field(value, "data") ?? null) : value }];
  });
}

/** A register at each path; the argument of a call is {path}, of a cas {path, old, new}. */
function eachPath(register: SequentialSpecification<Json>): SequentialSpecification<Json> {
  type OneCall = Parameters<typeof register.step>[1];
  const bare = (call: OneCall): OneCall => {
    const [old, exchanged] = [field(call.argument, "old"), field(call.argument, "new")];
    return { ...call, argument: call.f === "cas" ? [old ?? null, exchanged ?? null] : null };
  };
  return {
    name: register.name,
    initial: register.initial,
    key: register.key,
    step: (state, call) => register.step(state, bare(call)),
    partition: ({ argument }) => String(field(argument, "path")),
    readOnly: (call) => register.readOnly?.(bare(call)) ?? false,
    describeState: (state) => register.describeState?.(state) ?? "",
    describeCall: (call) => register.describeCall?.(bare(call)) ?? call.f,
  };
}

/** A set of the children of a path: create adds, delete removes, and the final lists tell of each element. */
export function setLinearizable(parent: string): Check {
  const name = "set-by-search";
  return {
    name,
    async run(history) {
      const origins = asSet(history, parent);
      // Numbered anew, as a final list is many calls.
      const events = origins.map(({ call }, index) => ({ ...call, index }));
      const found = linearizable(events, setOfValues(), { timeMs: searchMs });
      const originals = origins.map(({ origin }) => origin);
      return { ...withOriginals(plainVerdict(found), originals), name };
    },
  };
}

const setCalls: { readonly [f: string]: string } = { create: "add", delete: "remove" };

interface DerivedCall {
  readonly call: Event;
  /** What it was made of. */
  readonly origin: Event;
}

/** `add` and `remove` answer whether they changed the set. */
function asSet(history: readonly Event[], parent: string): readonly DerivedCall[] {
  const elements = new Set<string>();
  const open = new Map<number | string, "list" | "change">();
  const own = history.filter((event) => {
    if (event.type !== "invoke") return open.has(event.process);
    const kind = kindOfSetCall(event, parent);
    if (kind === undefined) open.delete(event.process);
    else open.set(event.process, kind);
    if (kind === "change") elements.add(nodeName(String(field(event.value, "path"))));
    return kind !== undefined;
  });
  return own.flatMap((origin): readonly DerivedCall[] => {
    if (origin.f === "sync+getChildren")
      return eachElement(origin, elements).map((call) => ({ call, origin }));
    return [{ call: changeOfSet(origin), origin }];
  });
}

function kindOfSetCall(event: Event, parent: string): "list" | "change" | undefined {
  const path = field(event.value, "path");
  if (typeof path !== "string") return undefined;
  if (event.f in setCalls) return parentPath(path) === parent ? "change" : undefined;
  return event.f === "sync+getChildren" && path === parent && isFinalRead(event) ? "list" : undefined;
}

function changeOfSet(event: Event): Event {
  const { type, value, error, zxid } = event;
  const path = field(value, "path");
  const call = {
    ...event,
    f: setCalls[event.f] ?? event.f,
    value: typeof path === "string" ? nodeName(path) : "",
  };
  if (type === "ok") return { ...call, value: true };
  const tells = type === "fail" && zxid !== undefined && (error === "NodeExists" || error === "NoNode");
  return tells ? { ...call, type: "ok", value: false } : call;
}

/** A list as a `contains` of every element, each by a process of its own. */
function eachElement(event: Event, elements: ReadonlySet<string>): readonly Event[] {
  const listed = field(event.value, "children");
  const children = new Set(Array.isArray(listed) ? (listed as readonly string[]) : []);
  return [...elements].map((element) => ({
    ...event,
    process: `${event.process} ${element}`,
    f: "contains",
    value: event.type === "ok" ? children.has(element) : element,
  }));
}
