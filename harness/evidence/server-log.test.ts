import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readServerLog } from "./server-log.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "zabcheck-logs-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function kindsIn(log: string, kind: "embedded" | "zookeeper" = "zookeeper"): Promise<unknown> {
  const path = join(folder, "server.log");
  writeFileSync(path, log);
  return (await readServerLog(path, kind))?.map((event) => event.kind);
}

/** Lines of real servers, of each release those that matter with some of what stands between them. */
const logs = {
  "3.4.14": `2026-11-28 14:53:41,836 [myid:2] - INFO  [main:QuorumPeerMain@130] - Starting quorum peer
2026-11-28 14:53:42,069 [myid:2] - INFO  [QuorumPeer[myid=2]/0.0.0.0:2181:QuorumPeer@910] - LOOKING
2026-11-28 14:53:42,071 [myid:2] - INFO  [WorkerReceiver[myid=2]:FastLeaderElection@595] - Notification: 1 (message format version), 2 (n.leader), 0x100002724 (n.zxid), 0x1 (n.round), LOOKING (n.state), 2 (n.sid), 0x1 (n.peerEpoch) LOOKING (my state)
2026-11-28 14:53:42,299 [myid:2] - INFO  [QuorumPeer[myid=2]/0.0.0.0:2181:QuorumPeer@992] - LEADING
2026-11-28 14:53:42,311 [myid:2] - INFO  [QuorumPeer[myid=2]/0.0.0.0:2181:Leader@380] - LEADING - LEADER ELECTION TOOK - 242
2026-11-28 14:53:42,357 [myid:2] - INFO  [LearnerHandler-/10.199.18.66:35420:LearnerHandler@475] - Sending DIFF
2026-11-28 14:53:42,379 [myid:2] - INFO  [QuorumPeer[myid=2]/0.0.0.0:2181:Leader@964] - Have quorum of supporters, sids: [ 1,2 ]; starting up and setting last processed zxid: 0x200000000
2026-11-28 14:53:55,137 [myid:2] - INFO  [QuorumPeer[myid=2]/0.0.0.0:2181:Leader@526] - Shutdown called
java.lang.Exception: shutdown Leader! reason: Not sufficient followers synced, only synced with sids: [ 2 ]
	at org.apache.zookeeper.server.quorum.Leader.shutdown(Leader.java:526)
2026-11-28 14:53:55,142 [myid:2] - INFO  [QuorumPeer[myid=2]/0.0.0.0:2181:QuorumPeer@910] - LOOKING
2026-11-28 14:53:57,361 [myid:2] - INFO  [QuorumPeer[myid=2]/0.0.0.0:2181:Learner@336] - Getting a snapshot from leader 0x100000dee`,
  "3.6.4": `2026-11-28 14:54:56,095 [main] INFO org.apache.zookeeper.server.quorum.QuorumPeerMain - Starting quorum peer, myid=3
2026-11-28 14:54:57,106 [QuorumPeer[myid=3](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.QuorumPeer - LOOKING
2026-11-28 14:54:57,892 [QuorumPeer[myid=3](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.Leader - Have quorum of supporters, sids: [[1, 3]]; starting up and setting last processed zxid: 0x200000000
2026-11-28 14:55:09,596 [QuorumPeer[myid=3](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.Leader - Shutdown called. For the reason Not sufficient followers synced, only synced with sids: [ [3] ]
2026-11-28 14:55:09,603 [QuorumPeer[myid=3](plain=0.0.0.0:2181)(secure=disabled)] WARN org.apache.zookeeper.server.quorum.QuorumPeer - PeerState set to LOOKING
2026-11-28 14:55:09,604 [QuorumPeer[myid=3](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.QuorumPeer - LOOKING
2026-11-28 14:55:10,669 [QuorumPeer[myid=3](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.Learner - Getting a diff from the leader 0x0`,
  "3.8.6": `2026-11-28 14:56:15,458 [myid:2] - INFO  [main:o.a.z.s.q.QuorumPeerMain@152] - Starting quorum peer, myid=2
2026-11-28 14:56:17,031 [myid:] - INFO  [QuorumPeer[myid=2](plain=0.0.0.0:2181)(secure=disabled):o.a.z.s.q.QuorumPeer@1455] - LOOKING
2026-11-28 14:56:18,793 [myid:] - INFO  [QuorumPeer[myid=2](plain=0.0.0.0:2181)(secure=disabled):o.a.z.s.q.Leader@1523] - Have quorum of supporters, sids: [[1, 2]]; starting up and setting last processed zxid: 0x200000000
2026-11-28 14:56:23,565 [myid:] - INFO  [QuorumPeer[myid=2](plain=0.0.0.0:2181)(secure=disabled):o.a.z.s.q.Leader@823] - Shutdown called. For the reason Not sufficient followers synced, only synced with sids: [ [2] ]
2026-11-28 14:56:23,577 [myid:] - INFO  [QuorumPeer[myid=2](plain=0.0.0.0:2181)(secure=disabled):o.a.z.s.q.QuorumPeer@1455] - LOOKING
2026-11-28 14:56:23,714 [myid:] - WARN  [QuorumPeer[myid=2](plain=0.0.0.0:2181)(secure=disabled):o.a.z.s.q.Learner@601] - Truncating log to get in sync with the leader 0x200000245`,
  "3.9.5": `2026-11-28 14:57:34,662 [main] INFO org.apache.zookeeper.server.quorum.QuorumPeerMain - Starting quorum peer, myid=1
2026-11-28 14:57:36,422 [QuorumPeer[myid=1](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.QuorumPeer - LOOKING
2026-11-28 14:57:36,877 [QuorumPeer[myid=1](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.Leader - Have quorum of supporters, sids: [[1, 3]]; starting up and setting last processed zxid: 0x200000000
2026-11-28 14:57:47,626 [QuorumPeer[myid=1](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.Leader - Shutdown called. For the reason Not sufficient followers synced, only synced with sids: [ [1] ]
2026-11-28 14:57:47,639 [QuorumPeer[myid=1](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.QuorumPeer - LOOKING
2026-11-28 14:57:57,528 [QuorumPeer[myid=1](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.Learner - Getting a snapshot from leader 0x300000ad4`,
} as const;

const deposed = ["starts", "looks for a leader", "leads", "is deposed", "looks for a leader"];
const synchronizedBy = { "3.4.14": "SNAP", "3.6.4": "DIFF", "3.8.6": "TRUNC", "3.9.5": "SNAP" } as const;

for (const release of ["3.4.14", "3.6.4", "3.8.6", "3.9.5"] as const) {
  test(`the log of a ${release} tells of elections, of the leader's end and of a synchronization`, async () => {
    expect(await kindsIn(logs[release])).toEqual([...deposed, synchronizedBy[release]]);
  });
}

test("times are UTC, and a line without one happened when the line before it did", async () => {
  const path = join(folder, "times.log");
  writeFileSync(path, logs["3.4.14"]);
  const events = await readServerLog(path, "zookeeper");
  expect(events?.[3]).toEqual({ kind: "is deposed", timeMs: Date.UTC(2026, 10, 28, 14, 53, 55, 137) });
});

test("who waited for a quorum in vain, or was stopped in order, was not deposed", async () => {
  const line = (text: string): string => `2026-11-28 14:57:34,662 [x] INFO Leader - ${text}`;
  const waiting =
    "Shutdown called. For the reason Waiting for a quorum of followers, only synced with sids: [ [1] ]";
  const leads =
    "Have quorum of supporters, sids: [[1, 3]]; starting up and setting last processed zxid: 0x200000000";
  const stopped = "Shutdown called. For the reason quorum Peer shutdown";
  expect(await kindsIn([waiting, leads, stopped].map(line).join("\n"))).toEqual(["leads"]);
  const killed = [leads, "Starting quorum peer, myid=1", waiting];
  expect(await kindsIn(killed.map(line).join("\n"))).toEqual(["leads", "starts"]);
});

test("a server that reads a snapshot of what its leader had it truncate keeps it", async () => {
  const line = (text: string): string =>
    `2026-11-28 17:08:10,622 [QuorumPeer[myid=1](plain=0.0.0.0:2181)(secure=disabled)] INFO org.apache.zookeeper.server.quorum.Learner - ${text}`;
  const order = "Truncating log to get in sync with the leader 0x1000018d0";
  const read = (zxid: string): string => `Reading snapshot /data/version-2/snapshot.${zxid}`;
  const kinds = (...texts: readonly string[]): Promise<unknown> => kindsIn(texts.map(line).join("\n"));
  const keeps = "keeps what it should give up";
  expect(await kinds(order, read("1000018d4"))).toEqual(["TRUNC", keeps]);
  expect(await kinds(order, read("1000018d0"))).toEqual(["TRUNC"]);
  expect(await kinds(order, read("100000000"), read("1000018d4"))).toEqual(["TRUNC"]);
  expect(await kinds(read("1000018d4"), order)).toEqual(["TRUNC"]);
});

test("the embedded ensemble's notes say the same; a leader that is killed is not deposed", async () => {
  const notes = [
    "0.000000 starts",
    "0.354000 looks for a leader: started",
    "0.808000 leads in epoch 1, 0 transactions",
    "5.000000 loses server-2: no word from it",
    "5.554000 looks for a leader: no quorum follows any more",
    "5.893853 synchronized by TRUNC, epoch 2, 1334 transactions",
    "7.000000 leads in epoch 3, 2000 transactions",
    "8.000000 is killed",
    "9.000000 starts",
    "9.400000 looks for a leader: started",
    "9.600000 observes server-1, synchronized by SNAP",
  ];
  expect(await kindsIn(notes.join("\n"), "embedded")).toEqual([
    ...deposed,
    "TRUNC",
    "leads",
    "starts",
    "looks for a leader",
    "SNAP",
  ]);
});

test("what is no log, or is not there, is not known to be empty", async () => {
  expect(await kindsIn("hello\nworld\n")).toBeUndefined();
  expect(await readServerLog(join(folder, "missing.log"), "zookeeper")).toBeUndefined();
});
