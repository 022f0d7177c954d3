import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { OperationError, type WatchEvent, type ZnodeAnswer, type ZnodeRequest } from "../model/index.ts";
import type { AppliedFault, Client, Cluster, ConnectOptions, RequestOutcome } from "./cluster.ts";
import { type Fault, type FaultKind, faultKinds, type ServerName } from "./fault.ts";

/** How long things may take in the cluster's own time (Cluster.clock), and in the test's. */
export interface ContractOptions {
  /** Makes a cluster of at least three voters. It is started once, and faults are healed between tests. */
  readonly make: () => Cluster | Promise<Cluster>;
  /** Kinds of fault to try out beside the partitions, kills and pauses that every cluster does. */
  readonly faults: readonly FaultKind[];
  /** Asked for in sessions; the cluster must grant it. */
  readonly sessionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** From a failure to a quorum that serves without the failed servers. */
  readonly electionMs: number;
  /** From the end of all faults to an ensemble that is whole. */
  readonly recoveryMs: number;
  /** Of one test, in the test runner's time. */
  readonly testTimeoutMs: number;
}

const retryMs = 50;

/** What every kind of cluster fulfils, as tests: call it inside of a test file. */
export function clusterContract(name: string, options: ContractOptions): void {
  describe(`${name}: the contract of a cluster`, () => {
    const context = new Context(options);

    beforeAll(() => context.begin(), options.testTimeoutMs);
    afterEach(() => context.recover(), options.testTimeoutMs);
    afterAll(() => context.end(), options.testTimeoutMs);

    const test = (title: string, body: (context: Context) => Promise<void>): void => {
      it(title, { timeout: options.testTimeoutMs }, () => body(context));
    };
    declareService(test);
    declareSessions(test);
    declareWatches(test);
    declarePartitions(test);
    declareCrashes(test);
    for (const kind of options.faults) declareFault(test, kind);
    declareLifeCycle(test);
  });
}

type Declare = (title: string, body: (context: Context) => Promise<void>) => void;

function declareService(test: Declare): void {
  test("starts with one leader, and the other servers follow", async ({ cluster }) => {
    const roles = [...(await cluster.roles()).values()].sort();
    const followers = cluster.servers.length - 1;
    expect(roles.filter((role) => role === "leader")).toHaveLength(1);
    expect(roles.filter((role) => role === "follower" || role === "observer")).toHaveLength(followers);
    expect([...(await cluster.roles()).keys()].sort()).toEqual([...cluster.servers].sort());
  });

  test("answers writes and reads on every server, with versions and definite errors", async (context) => {
    for (const server of context.cluster.servers) {
      const client = await context.connect(server);
      const path = context.path();
      expect(await ok(client, create(path, "one"))).toMatchObject({ result: { path } });
      expect(await ok(client, getData(path))).toMatchObject({
        result: { data: "one", stat: { version: 0 } },
      });
      expect(await ok(client, setData(path, "two", 0))).toMatchObject({ result: { stat: { version: 1 } } });
      expect((await answer(client, setData(path, "three", 0))).error).toBe("BadVersion");
      expect((await answer(client, getData(`${path}/none`))).error).toBe("NoNode");
      expect((await answer(client, create(path, "again"))).error).toBe("NodeExists");
      expect(await ok(client, getData(path))).toMatchObject({
        result: { data: "two", stat: { version: 1 } },
      });
    }
  });

  test("gives each reply a zxid that never runs back within a session", async (context) => {
    const client = await context.connect();
    const path = context.path();
    await ok(client, create(path, ""));
    const requests = Array.from({ length: 40 }, (_, i) =>
      i % 3 === 0 ? setData(path, `${i}`) : getData(path),
    );
    const answers = await Promise.all(requests.map((request) => ok(client, request)));
    const zxids = answers.map(({ zxid }) => zxid);
    expect(zxids).toEqual([...zxids].sort((a, b) => a - b));
    expect(new Set(answers.filter((_, i) => i % 3 === 0).map(({ zxid }) => zxid)).size).toBe(14);
    expect(client.credentials.lastZxidSeen).toBe(zxids.at(-1));
  });

  test("shows a write on every server once it was synced there", async (context) => {
    const path = context.path();
    await ok(await context.connect(), create(path, "seen"));
    for (const server of context.cluster.servers) {
      const reader = await context.connect(server);
      await ok(reader, { op: "sync", path });
      expect(await ok(reader, getData(path))).toMatchObject({ result: { data: "seen" } });
    }
  });

  test("applies a multi whole or not at all", async (context) => {
    const client = await context.connect();
    const path = context.path();
    const parts = [create(path, ""), create(`${path}/a`, ""), { op: "check", path, version: 7 }] as const;
    expect((await answer(client, { op: "multi", operations: parts })).error).not.toBeNull();
    expect((await answer(client, getData(path))).error).toBe("NoNode");
    await ok(client, { op: "multi", operations: parts.slice(0, 2) });
    expect(await ok(client, { op: "getChildren", path })).toMatchObject({ result: { children: ["a"] } });
  });
}

function declareSessions(test: Declare): void {
  test("removes ephemeral nodes when their session is closed", async (context) => {
    const owner = await context.connect();
    const path = context.path();
    await ok(owner, create(path, "", "ephemeral"));
    const reader = await context.connect(context.other(owner.server));
    await ok(reader, { op: "sync", path });
    const { stat } = (await ok(reader, { op: "exists", path })).result;
    expect(stat?.ephemeralOwner).toBe(owner.credentials.session);
    await owner.close();
    expect(owner.connected).toBe(false);
    await ok(reader, { op: "sync", path });
    expect((await answer(reader, { op: "exists", path })).error).toBe("NoNode");
  });

  test("expires a session that nobody keeps alive, and its ephemeral nodes go with it", async (context) => {
    const { clock } = context.cluster;
    const owner = await context.connect();
    const path = context.path();
    await ok(owner, create(path, "", "ephemeral"));
    const left = clock.now();
    owner.disconnect();
    const reader = await context.connect();
    await context.until(
      async () => (await answer(reader, { op: "exists", path })).error === "NoNode",
      "expiry",
      {
        timeoutMs: 4 * owner.credentials.timeoutMs,
      },
    );
    expect((clock.now() - left) / 1e6).toBeGreaterThan(owner.credentials.timeoutMs * 0.5);
    const resumed = await context.tryConnect({ server: context.any(), resume: owner.credentials });
    expect(resumed).toMatchObject({ connected: false, failure: "expired" });
  });

  test("keeps a session alive that is connected and idle", async (context) => {
    const client = await context.connect();
    const path = context.path();
    await ok(client, create(path, "", "ephemeral"));
    await context.cluster.clock.sleep(client.credentials.timeoutMs * 2);
    expect(await ok(client, { op: "exists", path })).toMatchObject({ result: { stat: { version: 0 } } });
  });

  test("moves a session to another server with everything it owns and has seen", async (context) => {
    const client = await context.connect();
    const path = context.path();
    await ok(client, create(path, "mine", "ephemeral"));
    client.disconnect();
    const moved = await context.connect(context.other(client.server), { resume: client.credentials });
    expect(moved.credentials.session).toBe(client.credentials.session);
    expect(await ok(moved, getData(path))).toMatchObject({ result: { data: "mine" } });
    // Requests are numbered on, so that (session, xid) names one request.
    expect(moved.credentials.lastXid).toBe((client.credentials.lastXid ?? 0) + 1);
    await moved.close();
  });

  test("refuses a session with a wrong password", async (context) => {
    const client = await context.connect();
    const resume = { ...client.credentials, password: "00".repeat(16) };
    const result = await context.tryConnect({ server: client.server, resume });
    expect(result).toMatchObject({ connected: false, failure: "expired" });
  });

  test("refuses a session that has seen the future, without ending it", async (context) => {
    const client = await context.connect();
    const { credentials, server } = client;
    client.disconnect();
    const resume = { ...credentials, lastZxidSeen: credentials.lastZxidSeen + 2 ** 32 * 1000 };
    const result = await context.tryConnect({ server, resume });
    expect(result.connected).toBe(false);
    if (!result.connected) expect(["refused", "closed"]).toContain(result.failure);
    const again = await context.connect(server, { resume: credentials });
    expect(again.credentials.session).toBe(credentials.session);
  });

  test("answers nothing on a connection that its client has left", async (context) => {
    const client = await context.connect();
    client.disconnect();
    expect(client.connected).toBe(false);
    expect(await client.request(getData("/"))).toMatchObject({ outcome: "unsent" });
    await client.close();
  });
}

function declareWatches(test: Declare): void {
  test("fires a data watch once, before the change can be read", async (context) => {
    const events: WatchEvent[] = [];
    const watcher = await context.connect(context.any(), { onEvent: (event) => events.push(event) });
    const path = context.path();
    await ok(watcher, create(path, "old"));
    await ok(watcher, { op: "getData", path, watch: true });
    const writer = await context.connect(context.other(watcher.server));
    await ok(writer, setData(path, "new"));
    await ok(writer, setData(path, "newer"));
    await ok(watcher, { op: "sync", path });
    expect(await ok(watcher, getData(path))).toMatchObject({ result: { data: "newer" } });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: "NodeDataChanged", path });
  });

  test("tells of children, creation and deletion", async (context) => {
    const events: WatchEvent[] = [];
    const watcher = await context.connect(context.any(), { onEvent: (event) => events.push(event) });
    const path = context.path();
    await ok(watcher, create(path, ""));
    await answer(watcher, { op: "exists", path: `${path}/child`, watch: true });
    await ok(watcher, { op: "getChildren", path, watch: true });
    const writer = await context.connect(context.other(watcher.server));
    await ok(writer, create(`${path}/child`, ""));
    await ok(watcher, { op: "sync", path });
    await ok(watcher, { op: "getData", path: `${path}/child`, watch: true });
    await ok(writer, { op: "delete", path: `${path}/child`, version: -1 });
    await ok(watcher, { op: "sync", path });
    expect(events.map(({ type, path: of }) => `${type} ${of.slice(path.length)}`)).toEqual([
      "NodeCreated /child",
      "NodeChildrenChanged ",
      "NodeDeleted /child",
    ]);
  });
}

function declarePartitions(test: Declare): void {
  test("partition, leader alone: the others elect, and nothing acknowledged is lost", async (context) => {
    const path = context.path();
    const leader = await context.leader();
    const before = await context.connect(leader);
    await ok(before, create(path, "0"));
    await context.apply({ kind: "partition", cuts: isolate(context.cluster, leader) });
    const open = before.request(setData(path, "alone"));
    const others = context.cluster.servers.filter((server) => server !== leader);
    const written = await context.writeSomewhere(others, path, "majority");
    const outcome = await open;
    if (outcome.outcome === "answered") expect(outcome.answer.error).not.toBeNull();
    await context.recover();
    // The write of unknown outcome may have come before the acknowledged one, never after it.
    for (const server of context.cluster.servers) expect(await context.read(server, path)).toBe(written);
    expect(await context.leader()).toBeDefined();
  });

  test("partition, one way: recovers whichever side goes unheard", async (context) => {
    for (const direction of ["from", "to"] as const) {
      const path = context.path();
      const leader = await context.leader();
      await ok(await context.connect(), create(path, "0"));
      const cuts = isolate(context.cluster, leader).filter(
        ([from, to]) => (direction === "from" ? from : to) === leader,
      );
      await context.apply({ kind: "partition", cuts });
      await context.cluster.clock.sleep(context.options.electionMs);
      await context.recover();
      const written = await context.writeSomewhere(context.cluster.servers, path, direction);
      for (const server of context.cluster.servers) expect(await context.read(server, path)).toBe(written);
    }
  });

  test("a follower that is cut off leaves the others serving, and catches up", async (context) => {
    const path = context.path();
    const follower = context.other(await context.leader());
    await ok(await context.connect(context.other(follower)), create(path, "0"));
    await context.apply({ kind: "partition", cuts: isolate(context.cluster, follower) });
    const others = context.cluster.servers.filter((server) => server !== follower);
    const written = await context.writeSomewhere(others, path, "without it");
    await context.recover();
    expect(await context.read(follower, path)).toBe(written);
  });
}

function declareCrashes(test: Declare): void {
  for (const target of ["the leader", "a follower", "a majority", "all"] as const) {
    test(`kill and restart ${target}: acknowledged writes stay`, async (context) => {
      const path = context.path();
      const writer = await context.connect();
      await ok(writer, create(path, "kept"));
      const leader = await context.leader();
      const { servers, voters } = context.cluster;
      const majority = Math.floor(voters.length / 2) + 1;
      const killed = {
        "the leader": [leader],
        "a follower": [context.other(leader)],
        "a majority": voters.slice(0, majority),
        all: servers,
      }[target];
      const fault = await context.apply({ kind: "kill", servers: killed });
      await fault.undo();
      await fault.undo();
      await context.recover();
      for (const server of servers) expect(await context.read(server, path)).toBe("kept");
    });
  }

  test("a killed server refuses connections clearly, breaks those it had, and says no role", async (context) => {
    const server = context.other(await context.leader());
    let reason: string | undefined;
    const client = await context.connect(server, { onClose: (why) => (reason = why) });
    await context.apply({ kind: "kill", servers: [server] });
    await context.until(() => Promise.resolve(!client.connected), "broken connection");
    expect(reason).toBeTypeOf("string");
    expect((await client.request(getData("/"))).outcome).toBe("unsent");
    const result = await context.tryConnect({ server, connectTimeoutMs: 1000 });
    expect(result.connected).toBe(false);
    if (!result.connected) expect(result.reason).not.toBe("");
    if (!result.connected) expect(["refused", "closed", "timeout"]).toContain(result.failure);
    expect((await context.cluster.roles()).get(server)).toBe("none");
  });

  test("pause and resume: a request to a paused server is unknown, and the server comes back", async (context) => {
    const path = context.path();
    const leader = await context.leader();
    const client = await context.connect(leader);
    await ok(client, create(path, "0"));
    const fault = await context.apply({ kind: "pause", servers: [leader] });
    const outcome = await client.request(setData(path, "paused"));
    expect(outcome.outcome).toBe("unknown");
    const others = context.cluster.servers.filter((server) => server !== leader);
    const written = await context.writeSomewhere(others, path, "meanwhile");
    await fault.undo();
    await fault.undo();
    await context.recover();
    for (const server of context.cluster.servers) expect(await context.read(server, path)).toBe(written);
  });
}

/** One of each kind, aimed at a server that does not lead. */
function sampleOf(kind: FaultKind, cluster: Cluster, server: ServerName): Fault {
  const servers = [server];
  const links = isolate(cluster, server);
  switch (kind) {
    case "partition":
      return { kind, cuts: links };
    case "loss":
      return { kind, links, share: 0.5 };
    case "delay":
      return { kind, links, delayMs: [50, 100] };
    case "reset":
      return { kind, links };
    case "starve":
      return { kind, servers, share: 0.05 };
    case "disk-error":
      return { kind, servers, operation: "fsync" };
    case "slow-disk":
      return { kind, servers, delayMs: 50 };
    case "damage":
      return { kind, servers, damage: "torn" };
    case "clock":
      return { kind, servers, offsetMs: -3_600_000 };
    case "clock-rate":
      return { kind, servers, rate: 1.5 };
    case "reconfig":
      return { kind, leaving: servers, joining: [] };
    case "rolling-restart":
      return { kind, servers: cluster.servers };
    default:
      return { kind, servers };
  }
}

function declareFault(test: Declare, kind: FaultKind): void {
  test(`${kind}: the others serve on, and all is well when it is undone`, async (context) => {
    const { cluster } = context;
    const path = context.path();
    const follower = context.follower(await context.leader());
    await ok(await context.connect(), create(path, "kept"));
    // Whatever was written is everywhere before one of the servers may forget it.
    for (const server of cluster.servers) expect(await context.read(server, path)).toBe("kept");
    const fault = await context.apply(sampleOf(kind, cluster, follower));
    const others = cluster.servers.filter((server) => server !== follower);
    const written = await context.writeSomewhere(others, path, "meanwhile");
    await fault.undo();
    await fault.undo();
    await context.recover();
    for (const server of cluster.servers) expect(await context.read(server, path)).toBe(written);
  });
}

function declareLifeCycle(test: Declare): void {
  test("undoes faults one by one, and heals what is left, more than once", async (context) => {
    const { cluster } = context;
    const [one, two] = [cluster.servers[0], cluster.servers[1]] as [ServerName, ServerName];
    const cut = await context.apply({ kind: "partition", cuts: [[one, two]] });
    const paused = await context.apply({ kind: "pause", servers: [two] });
    await cut.undo();
    await cut.undo();
    await cluster.heal();
    await paused.undo();
    await cluster.heal();
    await cluster.awaitQuorum(context.options.recoveryMs);
  });

  test("says when no quorum came back in time", async (context) => {
    const { voters } = context.cluster;
    await context.apply({ kind: "kill", servers: voters.slice(0, Math.floor(voters.length / 2) + 1) });
    // A leader notices only after a while that nobody follows any more.
    await context.cluster.clock.sleep(context.options.electionMs);
    await expect(context.cluster.awaitQuorum(500)).rejects.toBeInstanceOf(OperationError);
  });

  test("refuses a fault on a server that it does not have", async (context) => {
    await expect(context.cluster.apply({ kind: "kill", servers: ["server-99"] })).rejects.toThrow(
      /server-99/,
    );
  });

  test("says why it does not do a kind of fault, and does not", async (context) => {
    const { cluster } = context;
    let supported = 0;
    for (const kind of faultKinds) {
      const support = await cluster.supports(kind);
      if (support.supported) supported++;
      else {
        expect(support.reason).not.toBe("");
        const fault = sampleOf(kind, cluster, context.any());
        await expect(context.apply(fault)).rejects.toBeInstanceOf(OperationError);
      }
    }
    const known = new Set<FaultKind>(["partition", "kill", "pause", ...context.options.faults]);
    expect(supported).toBeGreaterThanOrEqual(known.size);
    expect(supported).toBeLessThan(faultKinds.length);
  });

  test("collects a folder for each server", async (context) => {
    const directory = await mkdtemp(join(tmpdir(), "zabcheck-contract-"));
    try {
      await context.cluster.collect(directory);
      expect((await readdir(directory)).sort()).toEqual([...context.cluster.servers].sort());
      for (const server of context.cluster.servers) {
        expect((await readdir(join(directory, server))).length).toBeGreaterThan(0);
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  test("stops, more than once", async (context) => {
    await context.end();
    await context.cluster.stop();
  });
}

/** One started cluster, and the clients that a test opened on it. */
class Context {
  readonly options: ContractOptions;
  #cluster: Cluster | undefined;
  #clients: Client[] = [];
  #paths = 0;
  #stopped = false;

  constructor(options: ContractOptions) {
    this.options = options;
  }

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error("the cluster was not made");
    return this.#cluster;
  }

  async begin(): Promise<void> {
    this.#cluster = await this.options.make();
    await this.#cluster.start();
    await this.#cluster.awaitQuorum(this.options.recoveryMs);
  }

  /** Back to a whole ensemble; clients of the test are gone. */
  async recover(): Promise<void> {
    if (this.#stopped) return;
    await this.cluster.heal();
    await this.cluster.awaitQuorum(this.options.recoveryMs);
    for (const client of this.#clients.splice(0)) client.disconnect();
  }

  async end(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect();
    this.#stopped = true;
    await this.#cluster?.stop();
  }

  path(): string {
    return `/contract-${++this.#paths}`;
  }

  any(): ServerName {
    return this.cluster.servers[this.#paths % this.cluster.servers.length] as ServerName;
  }

  /** A voter that does not lead. */
  follower(leader: ServerName): ServerName {
    return this.cluster.voters.find((server) => server !== leader) as ServerName;
  }

  other(than: ServerName): ServerName {
    return this.cluster.servers.find((server) => server !== than) as ServerName;
  }

  async leader(): Promise<ServerName> {
    const roles = await this.cluster.roles();
    const leader = [...roles].find(([, role]) => role === "leader");
    if (leader === undefined) throw new Error(`nobody leads: ${JSON.stringify([...roles])}`);
    return leader[0];
  }

  apply(fault: Fault): Promise<AppliedFault> {
    return this.cluster.apply(fault);
  }

  tryConnect(options: Partial<ConnectOptions> & { server: ServerName }): ReturnType<Cluster["connect"]> {
    const { sessionTimeoutMs, requestTimeoutMs } = this.options;
    return this.cluster.connect({ sessionTimeoutMs, requestTimeoutMs, ...options });
  }

  /** A session at that server, tried again while the server is not ready. */
  async connect(server: ServerName = this.any(), options: Partial<ConnectOptions> = {}): Promise<Client> {
    let client: Client | undefined;
    await this.until(async () => {
      const result = await this.tryConnect({ ...options, server });
      if (result.connected) client = result.client;
      else if (result.failure === "expired") throw new Error(`${server}: ${result.reason}`);
      return result.connected;
    }, `a session at ${server}`);
    if (client === undefined) throw new Error("unreachable");
    this.#clients.push(client);
    return client;
  }

  /** Writes a unique value through one of the servers, trying anew until a write is acknowledged; returns the value. */
  async writeSomewhere(servers: readonly ServerName[], path: string, prefix: string): Promise<string> {
    let attempt = 0;
    let value = "";
    await this.until(
      async () => {
        const server = servers[attempt++ % servers.length] as ServerName;
        const result = await this.tryConnect({ server, requestTimeoutMs: 1000, connectTimeoutMs: 1000 });
        if (!result.connected) return false;
        value = `${prefix} ${attempt}`;
        const outcome = await result.client.request(setData(path, value));
        result.client.disconnect();
        return outcome.outcome === "answered" && outcome.answer.error === null;
      },
      "an acknowledged write",
      { timeoutMs: this.options.electionMs + this.options.recoveryMs },
    );
    return value;
  }

  /** What a server shows once it has caught up. */
  async read(server: ServerName, path: string): Promise<string | null | undefined> {
    const client = await this.connect(server);
    await ok(client, { op: "sync", path });
    const { result } = await ok(client, getData(path));
    client.disconnect();
    return result.data;
  }

  /** Asks again until it is so; throws when it takes too long. */
  async until(
    isSo: () => Promise<boolean>,
    what: string,
    { timeoutMs = this.options.recoveryMs }: { timeoutMs?: number } = {},
  ): Promise<void> {
    const { clock } = this.cluster;
    const deadline = clock.now() + timeoutMs * 1e6;
    while (!(await isSo())) {
      if (clock.now() > deadline) throw new Error(`no ${what} within ${timeoutMs} ms`);
      await clock.sleep(retryMs);
    }
  }
}

function isolate(cluster: Cluster, server: ServerName): (readonly [ServerName, ServerName])[] {
  return cluster.servers
    .filter((other) => other !== server)
    .flatMap((other): (readonly [ServerName, ServerName])[] => [
      [server, other],
      [other, server],
    ]);
}

function create(
  path: string,
  data: string,
  mode: "persistent" | "ephemeral" = "persistent",
): Extract<ZnodeRequest, { op: "create" }> {
  return { op: "create", path, data, mode };
}

function getData(path: string): ZnodeRequest {
  return { op: "getData", path };
}

function setData(path: string, data: string, version: number = -1): ZnodeRequest {
  return { op: "setData", path, data, version };
}

async function answer(client: Client, request: ZnodeRequest): Promise<ZnodeAnswer> {
  const outcome: RequestOutcome = await client.request(request);
  if (outcome.outcome !== "answered") {
    throw new Error(`${request.op} at ${client.server}: ${outcome.outcome}: ${outcome.reason}`);
  }
  return outcome.answer;
}

async function ok(client: Client, request: ZnodeRequest): Promise<Extract<ZnodeAnswer, { error: null }>> {
  const reply = await answer(client, request);
  if (reply.error !== null) throw new Error(`${request.op} at ${client.server}: ${reply.error}`);
  return reply;
}
