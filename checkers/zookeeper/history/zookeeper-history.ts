import type { SessionEvent, WatchEventType, Zxid } from "../../../model/index.ts";
import type { RecordedEvents } from "./recorded-events.ts";
import type { StepLists } from "./step-lists.ts";
import type { Step } from "./steps.ts";

export interface WatchStep {
  /** The event's. */
  readonly index: number;
  readonly type: WatchEventType;
  readonly path: string;
  readonly session: string;
  /** -1 where the server does not tell. */
  readonly zxid: Zxid;
}

export interface SessionStep {
  /** The event's. */
  readonly index: number;
  readonly what: SessionEvent;
}

/** A history as the checkers of ZooKeeper's promises read it. */
export interface ZookeeperHistory extends StepLists {
  readonly events: RecordedEvents;
  /** In order of their invocations. */
  readonly steps: readonly Step[];
  readonly watches: readonly WatchStep[];
  readonly sessions: readonly SessionStep[];
}
