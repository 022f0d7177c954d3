import {
  authenticate,
  type AuthId,
  byIndex,
  checkAnswer,
  checkedOperation,
  type Event,
  type EventHead,
  HistoryRules,
  sessionsProcess,
  watchesProcess,
  type WatchEventType,
  type ZnodeRequest,
} from "../../../model/index.ts";
import { EventRecord } from "./event-record.ts";
import { kindNamed, type OperationKind } from "./operation-kinds.ts";
import { ListedEvents, type RecordedEvents } from "./recorded-events.ts";
import { SeenPaths } from "./seen-paths.ts";
import { Lists } from "./step-lists.ts";
import { Step } from "./steps.ts";
import type { SessionStep, WatchStep, ZookeeperHistory } from "./zookeeper-history.ts";

/**
 * Reads a history of znode operations (model/sequential/znodes/history-form.ts). Operations and events of others, such
 * as faults, are left aside. Throws InputError where the history or a value is not of that form.
 */
export function readHistory(events: readonly Event[]): ZookeeperHistory {
  const intake = new HistoryIntake(new ListedEvents(events));
  // Long lists are gone through with forEach: a loop that runs only once makes an object for each element.
  events.forEach((event) => intake.take(event));
  return intake.end();
}

/** Takes a history's events, one after the other, whatever they are read from, and makes steps of them. */
export class HistoryIntake {
  /** What the next event says, for whoever has no Event of it to take. */
  readonly record: EventRecord = new EventRecord();
  readonly #events: RecordedEvents;
  readonly #rules: HistoryRules<Step | undefined, EventHead>;
  readonly #paths = new SeenPaths();
  readonly #lists = new Lists();
  readonly #steps: Step[] = [];
  readonly #watches: WatchStep[] = [];
  readonly #sessions: SessionStep[] = [];
  readonly #ops = new Set<ZnodeRequest["op"]>();
  #event: Event | undefined;
  /** Invocations, also of operations of others. */
  operations = 0;

  /** `locate` names an event in messages on broken rules. */
  constructor(events: RecordedEvents, locate: (event: EventHead) => string = byIndex) {
    this.#events = events;
    this.#rules = new HistoryRules(locate, () => this.#invoked());
  }

  take(event: Event): void {
    const { record } = this;
    record.takeHead(event);
    this.#event = event;
    const step = this.#rules.check(record);
    if (step !== undefined) {
      if (record.isAnswer) {
        checkAnswer(event, step.op);
        record.takeAnswer(event.value, step.op);
      }
      this.#completed(step);
    } else if (event.process === watchesProcess) {
      record.takeWatch(event);
      this.#watched();
    } else if (event.process === sessionsProcess) {
      record.takeLife(event);
      this.#lived();
    }
  }

  /** Takes what the record says. */
  takeRecord(): void {
    this.#event = undefined;
    const { process } = this.record;
    const step = this.#rules.check(this.record);
    if (step !== undefined) this.#completed(step);
    else if (process === watchesProcess) this.#watched();
    else if (process === sessionsProcess) this.#lived();
  }

  end(): ZookeeperHistory {
    const steps = this.#steps;
    const [lists, watches, sessions] = [this.#lists, this.#watches, this.#sessions];
    if (this.#ops.has("sync")) noteSyncs(steps);
    if (this.#ops.has("addAuth")) noteIdentities(steps, sessions);
    steps.forEach((step) => lists.add(step));
    return Object.assign(lists, { events: this.#events, steps, watches, sessions });
  }

  #invoked(): Step | undefined {
    const { record } = this;
    this.operations++;
    if (this.#event !== undefined) {
      if (checkedOperation(this.#event) === undefined) return undefined;
      record.takeRequest(this.#event, kindNamed(this.#event.f) as OperationKind);
    }
    this.#ops.add(record.kind.op);
    const step = new Step(record, this.#paths, this.#events);
    this.#steps.push(step);
    return step;
  }

  #watched(): void {
    const { index, f, path, ofSession, watchZxid } = this.record;
    this.#watches.push({ index, type: f as WatchEventType, path, session: ofSession, zxid: watchZxid });
  }

  #lived(): void {
    const { index, life } = this.record;
    if (life !== undefined) this.#sessions.push({ index, what: life });
  }

  #completed(step: Step): void {
    step.complete(this.record, this.#paths);
    this.#lists.completes(step);
  }
}

const nobody: readonly AuthId[] = [];

function noteIdentities(steps: readonly Step[], sessions: readonly SessionStep[]): void {
  const identities = new Map<string, readonly AuthId[]>();
  let connected = 0;
  for (const step of steps) {
    for (; connected < sessions.length; connected++) {
      const { index, what } = sessions[connected] as SessionStep;
      if (index > step.invokedAt) break;
      if (what.f === "connect") identities.delete(what.session);
    }
    const known = identities.get(step.session) ?? nobody;
    step.identities = known;
    if (step.op !== "addAuth" || step.outcome !== "ok") continue;
    const identity = authenticate(String(step.request["scheme"]), String(step.request["auth"]));
    if (identity !== undefined) identities.set(step.session, [...known, identity]);
  }
}

/** A sync right before a read on the same connection makes it a synced one. */
function noteSyncs(steps: readonly Step[]): void {
  const lastSync = new Map<string, Step>();
  for (const step of steps) {
    if (lastSync.size > 0) {
      const sync = lastSync.get(step.session);
      if (sync !== undefined) lastSync.delete(step.session);
      step.syncedSince ??= syncBefore(sync, step);
    }
    if (step.op === "sync" && step.outcome === "ok") lastSync.set(step.session, step);
  }
}

function syncBefore(sync: Step | undefined, { invokedAt, process, server }: Step): number | undefined {
  if (sync === undefined || sync.completedAt > invokedAt) return undefined;
  const sameServer = server === "" || sync.server === "" || sync.server === server;
  return sameServer && sync.process === process ? sync.invokedAt : undefined;
}
