import {
  pairOperations,
  parseSessionEvent,
  parseWatchEvent,
  type Event,
  type Json,
} from "../../model/index.ts";
import {
  faultIntervals,
  faultLabel,
  type EffectName,
  type FaultEvidence,
  type FaultInterval,
  type FaultOutcome,
} from "../../results/index.ts";
import { faultsProcess } from "../fault-runner.ts";
import type { Schedule } from "../faults/schedule.ts";
import { isOwnDeparture } from "../session.ts";
import type { ServerEventKind } from "./server-log.ts";

/** A server's event on the history's clock. */
export interface PlacedServerEvent {
  readonly kind: ServerEventKind;
  readonly timeNs: number;
}

/** What happens so soon after a fault was undone still counts as its effect, unless the next fault has begun. */
const aftermathNs = 2e9;

/** Answers that took so many times as long as those of quiet times are an effect; of them a tenth must. */
const slowFactor = 3;
const slowQuantile = 0.9;

interface Window {
  readonly interval: FaultInterval;
  readonly endNs: number;
  readonly effects: Map<EffectName, number>;
}

/** What each fault of the schedule met, and what happened while it was in force. */
export function faultEvidence(
  events: readonly Event[],
  schedule: Schedule,
  serverEvents: readonly PlacedServerEvent[],
): readonly FaultEvidence[] {
  const windows = windowsOf(faultIntervals(events));
  countServerEvents(windows, serverEvents);
  countHistoryEvents(windows, events);
  countSlowAnswers(windows, events);
  const outcomes = outcomesOf(events);
  const struck = strikes(events);
  return schedule.map(({ family, plan }, id) => {
    const window = windows.get(id);
    return {
      id,
      family,
      label: window?.interval.label ?? faultLabel(family, { plan }),
      outcome: outcomes.get(id) ?? "not reached",
      operationsInFlight: struck.get(id)?.operations ?? 0,
      watchesPending: struck.get(id)?.watches ?? 0,
      effects: Object.fromEntries(window?.effects ?? []),
    };
  });
}

/** From the moment a fault is applied to a little after it was undone, as long as no other has begun by then. */
function windowsOf(intervals: readonly FaultInterval[]): ReadonlyMap<number, Window> {
  return new Map(
    intervals.map((interval) => {
      const next = intervals.filter(({ startNs }) => startNs >= interval.endNs).map(({ startNs }) => startNs);
      const endNs = Math.min(interval.endNs + aftermathNs, ...next);
      return [interval.id, { interval, endNs, effects: new Map<EffectName, number>() }];
    }),
  );
}

function count(windows: ReadonlyMap<number, Window>, name: EffectName, timeNs: number): void {
  for (const { interval, endNs, effects } of windows.values()) {
    if (timeNs >= interval.startNs && timeNs <= endNs) effects.set(name, (effects.get(name) ?? 0) + 1);
  }
}

const effectOfServers: { readonly [kind in ServerEventKind]: EffectName | undefined } = {
  starts: "restarts",
  "looks for a leader": undefined,
  leads: "elections",
  "is deposed": "deposed leaders",
  DIFF: "synchronizations",
  TRUNC: "synchronizations",
  SNAP: "synchronizations",
  "keeps what it should give up": undefined,
};

function countServerEvents(
  windows: ReadonlyMap<number, Window>,
  serverEvents: readonly PlacedServerEvent[],
): void {
  for (const { kind, timeNs } of serverEvents) {
    const effect = effectOfServers[kind];
    if (effect !== undefined) count(windows, effect, timeNs);
  }
}

function countHistoryEvents(windows: ReadonlyMap<number, Window>, events: readonly Event[]): void {
  for (const event of events) {
    if (isUnanswered(event)) count(windows, "unanswered", event.time);
    else if (isInvoluntaryEnd(event)) count(windows, "disconnections", event.time);
  }
}

export function isUnanswered({ process, type }: Event): boolean {
  return typeof process === "number" && type === "info";
}

/** A connection that its client lost. */
export function isInvoluntaryEnd(event: Event): boolean {
  const session = parseSessionEvent(event);
  return session?.f === "disconnect" && !isOwnDeparture(session.reason);
}

/** Compared with the answers at times when no fault was in force; where there are none nothing is said. */
function countSlowAnswers(windows: ReadonlyMap<number, Window>, events: readonly Event[]): void {
  const all = [...windows.values()];
  if (all.length === 0) return;
  const quiet: number[] = [];
  const during = all.map((): number[] => []);
  for (const { process, invocation, completion } of pairOperations(events)) {
    if (typeof process !== "number" || completion === undefined || completion.type === "info") continue;
    const latencyNs = completion.time - invocation.time;
    let met = false;
    all.forEach(({ interval, endNs }, i) => {
      if (completion.time < interval.startNs || invocation.time > endNs) return;
      met = true;
      during[i]?.push(latencyNs);
    });
    if (!met) quiet.push(latencyNs);
  }
  const usual = quantile(quiet);
  if (usual === undefined) return;
  all.forEach(({ effects }, i) => {
    const latencies = during[i] ?? [];
    if ((quantile(latencies) ?? 0) < slowFactor * usual) return;
    const slow = latencies.filter((latencyNs) => latencyNs >= slowFactor * usual).length;
    if (slow > 0) effects.set("slow answers", slow);
  });
}

function quantile(values: readonly number[]): number | undefined {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(slowQuantile * (sorted.length - 1))];
}

function outcomesOf(events: readonly Event[]): ReadonlyMap<number, FaultOutcome> {
  const outcomes = new Map<number, FaultOutcome>();
  for (const { process, value } of events) {
    const { id, action } = process === faultsProcess ? fieldsOf(value) : {};
    if (typeof id !== "number") continue;
    if (action === "applied") outcomes.set(id, "applied");
    else if (action === "skipped") outcomes.set(id, "skipped");
    // What could be applied and not undone has been applied.
    else if (action === "failed" && !outcomes.has(id)) outcomes.set(id, "failed");
  }
  return outcomes;
}

/** What was under way at the moment at which each fault was applied. */
function strikes(
  events: readonly Event[],
): ReadonlyMap<number, { readonly operations: number; readonly watches: number }> {
  const struck = new Map<number, { operations: number; watches: number }>();
  const open = new Map<number | string, Event>();
  const watches = new PendingWatches();
  for (const event of events) {
    const { process, type, value } = event;
    if (typeof process === "number") {
      if (type === "invoke") open.set(process, event);
      else {
        const invocation = open.get(process);
        open.delete(process);
        if (invocation !== undefined) watches.answered(invocation, event);
      }
    } else if (process === faultsProcess) {
      const { id, action } = fieldsOf(value);
      if (action === "apply" && typeof id === "number") {
        struck.set(id, { operations: open.size, watches: watches.size });
      }
    } else watches.told(event);
  }
  return struck;
}

/** One-shot watches that are set and have not fired. A session that moves takes them along; an expired one has lost them. */
class PendingWatches {
  readonly #bySession = new Map<string, Set<string>>();

  get size(): number {
    let size = 0;
    for (const paths of this.#bySession.values()) size += paths.size;
    return size;
  }

  answered(invocation: Event, completion: Event): void {
    const { watch, path } = fieldsOf(invocation.value);
    const { session } = completion;
    if (session === undefined) return;
    if (invocation.f === "closeSession" && completion.type === "ok") this.#bySession.delete(session);
    if (watch !== true || typeof path !== "string") return;
    const isSet = completion.type === "ok" || (invocation.f === "exists" && completion.error === "NoNode");
    if (!isSet) return;
    const paths = this.#bySession.get(session) ?? new Set();
    this.#bySession.set(session, paths);
    paths.add(`${invocation.f === "getChildren" ? "children" : "data"} ${path}`);
  }

  told(event: Event): void {
    const fired = parseWatchEvent(event);
    if (fired !== undefined) {
      const paths = this.#bySession.get(fired.session);
      if (fired.type !== "NodeChildrenChanged") paths?.delete(`data ${fired.path}`);
      if (fired.type === "NodeChildrenChanged" || fired.type === "NodeDeleted")
        paths?.delete(`children ${fired.path}`);
    }
    const session = parseSessionEvent(event);
    if (session?.f === "session-expired") this.#bySession.delete(session.session);
  }
}

function fieldsOf(value: Json): { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: Json })
    : {};
}
