import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";

/** What a server's log says happened to it. */
export type ServerEventKind =
  | "starts"
  | "looks for a leader"
  | "leads"
  | "is deposed"
  | "DIFF"
  | "TRUNC"
  | "SNAP"
  /** It was to give transactions up, and went on with a snapshot that holds them (ZOOKEEPER-1549). */
  | "keeps what it should give up";

export interface ServerEvent {
  readonly kind: ServerEventKind;
  /** ms: since 1970 in a log of ZooKeeper, of virtual time in one of the embedded ensemble; undefined before the first time that it tells. */
  readonly timeMs: number | undefined;
}

/** What a line says, by its message: layouts differ from release to release, and from image to image. */
interface Sign {
  readonly kind: ServerEventKind;
  readonly pattern: RegExp;
}

/**
 * ZooKeeper 3.4 to 3.9, by QuorumPeerMain, QuorumPeer, Leader and Learner; the learner's side of a synchronization,
 * as the leader's says several kinds in one attempt. 3.4 gives the reason of a leader's end in the exception that it logs.
 */
const zookeeperSigns: readonly Sign[] = [
  { kind: "starts", pattern: /\bStarting (quorum peer|server)\b/ },
  { kind: "looks for a leader", pattern: / - LOOKING$/ },
  { kind: "leads", pattern: /\bHave quorum of supporters, sids: .*; starting up\b/ },
  // Not an orderly end: `quorum Peer shutdown`.
  {
    kind: "is deposed",
    pattern: /(Shutdown called\. For the reason |shutdown Leader! reason: )(?!quorum Peer shutdown)/,
  },
  { kind: "DIFF", pattern: /\bGetting a diff from the leader\b/ },
  { kind: "TRUNC", pattern: /\bTruncating log to get in sync with the leader\b/ },
  { kind: "SNAP", pattern: /\bGetting a snapshot from leader\b/ },
];

/** What clusters/embedded notes. */
const embeddedSigns: readonly Sign[] = [
  { kind: "starts", pattern: /^starts\b/ },
  { kind: "looks for a leader", pattern: /^looks for a leader\b/ },
  { kind: "leads", pattern: /^leads in epoch\b/ },
  { kind: "DIFF", pattern: /\bsynchronized by DIFF\b/ },
  { kind: "TRUNC", pattern: /\bsynchronized by TRUNC\b/ },
  { kind: "SNAP", pattern: /\bsynchronized by SNAP\b/ },
];

/** Reads the log of one server, line by line. Undefined where there is no such file or nothing in it is a log of ours. */
export async function readServerLog(
  path: string,
  kind: "embedded" | "zookeeper",
): Promise<readonly ServerEvent[] | undefined> {
  if (!existsSync(path)) return undefined;
  const reader = kind === "embedded" ? new EmbeddedLog() : new ZookeeperLog();
  const lines = createInterface({
    input: createReadStream(path, "utf8"),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) reader.line(line);
  return reader.understood ? reader.events : undefined;
}

abstract class LogReader {
  readonly events: ServerEvent[] = [];
  /** Whether a time was found, as in every line of a log. */
  understood = false;
  /** Whether a term is under way: only who leads can be deposed. */
  #leads = false;

  abstract line(text: string): void;

  protected add(kind: ServerEventKind, timeMs: number | undefined): void {
    if (kind === "is deposed") {
      if (!this.#leads) return;
      this.#leads = false;
    }
    if (kind === "leads") this.#leads = true;
    if (kind === "starts") this.#leads = false;
    this.events.push({ kind, timeMs });
  }

  protected get leads(): boolean {
    return this.#leads;
  }
}

class ZookeeperLog extends LogReader {
  #timeMs: number | undefined;
  /** What the leader has it truncate to, until it has read what it goes on with. */
  #truncatedTo: number | undefined;

  /** Lines without a time (of exceptions) belong to the line before them. Containers' clocks show UTC. */
  override line(text: string): void {
    const time = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3})\b/.exec(text);
    if (time !== null) {
      this.#timeMs = Date.parse(`${time[1]}T${time[2]}.${time[3]}Z`);
      this.understood = true;
    }
    const sign = zookeeperSigns.find(({ pattern }) => pattern.test(text));
    if (sign !== undefined) this.add(sign.kind, this.#timeMs);
    this.#compareSnapshot(text);
  }

  /**
   * TRUNC cuts the log, not snapshots: one that an aspiring leader took of what was not committed is read again. Of the
   * lines that follow the order the first that names a snapshot tells which.
   */
  #compareSnapshot(text: string): void {
    const [, order] = /\bTruncating log to get in sync with the leader 0x([0-9a-f]+)/.exec(text) ?? [];
    if (order !== undefined) this.#truncatedTo = Number.parseInt(order, 16);
    const [, snapshot] = /\bReading snapshot \S*\bsnapshot\.([0-9a-f]+)/.exec(text) ?? [];
    if (snapshot === undefined || this.#truncatedTo === undefined) return;
    if (Number.parseInt(snapshot, 16) > this.#truncatedTo)
      this.add("keeps what it should give up", this.#timeMs);
    this.#truncatedTo = undefined;
  }
}

class EmbeddedLog extends LogReader {
  override line(text: string): void {
    const [, seconds, note] = /^(\d+\.\d{6}) (.*)$/.exec(text) ?? [];
    if (note === undefined) return;
    this.understood = true;
    const sign = embeddedSigns.find(({ pattern }) => pattern.test(note));
    if (sign === undefined) return;
    const timeMs = Number(seconds) * 1000;
    // It looks again only when its term has ended, other than by a kill.
    if (sign.kind === "looks for a leader" && this.leads) this.add("is deposed", timeMs);
    this.add(sign.kind, timeMs);
  }
}
