import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "../../checkers/index.ts";
import { parseSessionEvent, type Event } from "../../model/index.ts";
import type { RunEvidence } from "../../results/index.ts";
import type { Schedule } from "../faults/schedule.ts";
import { faultEvidence, isInvoluntaryEnd, isUnanswered, type PlacedServerEvent } from "./fault-effects.ts";
import { readServerLog, type ServerEvent, type ServerEventKind } from "./server-log.ts";

/** What is known of a run when it is over. */
export interface RunRemains {
  readonly events: readonly Event[];
  readonly schedule: Schedule;
  readonly verdicts: readonly Verdict[];
  readonly cluster: "embedded" | "docker";
  /** The folder of the servers' logs, one sub-folder a server. */
  readonly logs: string;
  /** The history's time 0 on the clock of the servers' logs, in ms. */
  readonly zeroMs: number;
}

/**
 * Finds out what a run has exercised, from its history, its faults and the logs of its servers. Of the logs only
 * what is in them counts: a server whose log cannot be read contributes nothing, and if none can the figures are null.
 */
export async function runEvidence(remains: RunRemains): Promise<RunEvidence> {
  const { events, schedule, verdicts } = remains;
  const logs = await logsOf(remains);
  const servers = logs === undefined ? undefined : [...logs.values()].flat();
  const total = (kind: ServerEventKind): number =>
    (servers ?? []).filter((event) => event.kind === kind).length;
  const sessions = countSessions(events);
  return {
    elections: servers === undefined ? null : total("leads"),
    deposedLeaders: servers === undefined ? null : total("is deposed"),
    synchronizations:
      servers === undefined ? null : { DIFF: total("DIFF"), TRUNC: total("TRUNC"), SNAP: total("SNAP") },
    ...sessions,
    unanswered: events.filter(isUnanswered).length,
    staleReads: countOf(verdicts, "staleness", "stale"),
    staleSyncedReads: countOf(verdicts, "synced-reads", "stale-sync"),
    faults: faultEvidence(events, schedule, placed(servers ?? [], remains)),
    ...knownDefects(logs ?? new Map()),
  };
}

/** What explains a broken promise, and is none of its own: the verdict stands. */
function knownDefects(
  logs: ReadonlyMap<string, readonly ServerEvent[]>,
): Pick<RunEvidence, "knownDefects"> | object {
  const met = [...logs].flatMap(([server, events]) =>
    events.some(({ kind }) => kind === "keeps what it should give up")
      ? [
          `ZOOKEEPER-1549 at ${server}: its leader had it truncate its log, and it went on with a snapshot that holds what it was to give up`,
        ]
      : [],
  );
  return met.length === 0 ? {} : { knownDefects: met };
}

/** The events of each server whose log could be read; undefined where none could. */
async function logsOf({
  cluster,
  logs,
}: RunRemains): Promise<ReadonlyMap<string, readonly ServerEvent[]> | undefined> {
  if (!existsSync(logs)) return undefined;
  const kind = cluster === "embedded" ? "embedded" : "zookeeper";
  const read = new Map<string, readonly ServerEvent[]>();
  for (const server of readdirSync(logs).toSorted()) {
    const events = await readServerLog(join(logs, server, "server.log"), kind);
    if (events !== undefined) read.set(server, events);
  }
  return read.size === 0 ? undefined : read;
}

/** A log whose clock was turned says nothing about when. */
const strayMs = 600_000;

function placed(servers: readonly ServerEvent[], { events, zeroMs }: RunRemains): PlacedServerEvent[] {
  const endMs = (events.at(-1)?.time ?? 0) / 1e6;
  return servers.flatMap(({ kind, timeMs }) => {
    const ms = timeMs === undefined ? Number.NaN : timeMs - zeroMs;
    return ms >= -strayMs && ms <= endMs + strayMs ? [{ kind, timeNs: ms * 1e6 }] : [];
  });
}

function countSessions(
  events: readonly Event[],
): Pick<RunEvidence, "disconnections" | "movedSessions" | "expiredSessions"> {
  const lastServer = new Map<string, string>();
  let [disconnections, movedSessions] = [0, 0];
  const expired = new Set<string>();
  for (const event of events) {
    const session = parseSessionEvent(event);
    if (session?.f === "session-expired") expired.add(session.session);
    if (session?.f === "connect") {
      const before = lastServer.get(session.session);
      if (before !== undefined && before !== session.server) movedSessions++;
      lastServer.set(session.session, session.server);
    }
    if (isInvoluntaryEnd(event)) disconnections++;
  }
  return { disconnections, movedSessions, expiredSessions: expired.size };
}

/** What a checker has counted; null where it was not among the run's, or had nothing to look at. */
function countOf(verdicts: readonly Verdict[], name: string, figure: string): number | null {
  return verdicts.find((verdict) => verdict.name === name)?.counts?.[figure] ?? null;
}
