import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  authenticate,
  type AuthId,
  isWrite,
  parentPath,
  RequestPreparation,
  serverFeatures,
  type Stat,
  type SubResult,
  type WatchEvent,
  type ZnodeAnswer,
  type ZnodeRequest,
  ZnodeServer,
} from "../model/index.ts";
import type { Client, ConnectResult } from "./cluster.ts";
import { dockerForTests } from "./docker/for-tests.ts";
import { createDockerCluster, type DockerCluster } from "./docker/docker-cluster.ts";
import { below, type ClientStep, clientSteps } from "./znode-operations.ts";

/*
 * The specification of znodes beside a real server: the same random lists of operations, and every answer, error,
 * event, zxid and Stat compared, times aside.
 */
const docker = await dockerForTests();

const releases: readonly (readonly [release: string, lists: number])[] = [
  ["3.9.5", 60],
  ["3.8.6", 20],
  ["3.6.4", 20],
  ["3.4.14", 20],
];

describe.skipIf(docker.reason !== undefined).each(releases)(
  docker.title("znodes beside ZooKeeper %s"),
  (release, lists) => {
    let cluster: DockerCluster;

    beforeAll(async () => {
      cluster = await createDockerCluster({ release, servers: 1 });
      await cluster.start();
    }, 120_000);

    afterAll(async () => {
      await cluster?.stop();
    });

    test("random operations give the same answers and events", { timeout: 240_000 }, async () => {
      let list = 0;
      await fc.assert(
        fc.asyncProperty(clientSteps, async (steps) => {
          const both = new SideBySide(cluster, release, `/list-${++list}`);
          try {
            await both.open();
            for (const step of steps) await both.step(step);
          } finally {
            await both.close();
          }
        }),
        {
          numRuns: lists,
          ...(process.env["ZNODES_SEED"] === undefined ? {} : { seed: Number(process.env["ZNODES_SEED"]) }),
        },
      );
    });
  },
);

interface Side {
  client: Client;
  /** The connection's name in the specification. */
  connection: string;
  identities: AuthId[];
  readonly real: WatchEvent[];
  readonly expected: WatchEvent[];
}

/** Two clients, each on the real server and on the specification. */
class SideBySide {
  readonly #cluster: DockerCluster;
  readonly #root: string;
  readonly #server: ZnodeServer<string>;
  readonly #leader: RequestPreparation;
  readonly #sides: Side[] = [];
  readonly #byConnection = new Map<string, Side>();
  #connections = 0;
  #zxid = 0;

  constructor(cluster: DockerCluster, release: string, root: string) {
    this.#cluster = cluster;
    // A sequential sibling of the list's root is numbered by a parent of the list's own.
    this.#root = `${root}/root`;
    const features = serverFeatures(release);
    this.#server = new ZnodeServer<string>({
      features,
      deliver: (connection, event) => this.#byConnection.get(connection)?.expected.push(event),
      identities: (connection) => this.#byConnection.get(connection)?.identities ?? [],
    });
    this.#leader = new RequestPreparation(this.#server.tree, { features, extendedTypes: true });
  }

  async open(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const side: Side = {
        client: undefined as never,
        connection: "",
        identities: [],
        real: [],
        expected: [],
      };
      this.#sides.push(side);
      await this.#openSession(side);
    }
    for (const path of [parentPath(this.#root), this.#root]) {
      await this.#request(this.#side(0), { op: "create", path, data: null, mode: "persistent" });
    }
  }

  async close(): Promise<void> {
    for (const { client } of this.#sides) await client?.close();
  }

  async step(step: ClientStep): Promise<void> {
    const side = this.#side(step.client);
    if (step.do === "request") await this.#request(side, below(this.#root, step.request));
    else if (step.do === "renew") {
      await this.#request(side, { op: "closeSession" });
      side.client.disconnect();
      this.#server.disconnect(side.connection);
      await this.#flush();
      await this.#openSession(side);
    } else await this.#reconnect(side, step.behind, step.paths);
    await this.#flush();
    for (const each of this.#sides) this.#compareEvents(each, step);
  }

  #side(index: number): Side {
    return this.#sides[index] as Side;
  }

  async #openSession(side: Side): Promise<void> {
    const connected = await this.#connect(side);
    const session = connected.credentials.session;
    // The server tells the zxid of a session's creation with its first answer.
    const ask: ZnodeRequest = { op: "exists", path: "/" };
    const outcome = await connected.request(ask);
    if (outcome.outcome !== "answered") throw new Error(`no answer: ${outcome.reason}`);
    this.#zxid = outcome.answer.zxid;
    const header = { session, cxid: 0, zxid: this.#zxid, timeMs: 0 };
    this.#server.apply(header, this.#leader.createSession(header, 10_000));
    this.#leader.applied(this.#zxid);
  }

  async #connect(side: Side, resume?: Client["credentials"]): Promise<Client> {
    const result: ConnectResult = await this.#cluster.connect({
      server: "server-1",
      sessionTimeoutMs: 10_000,
      onEvent: (event) => side.real.push(event),
      ...(resume === undefined ? {} : { resume }),
    });
    if (!result.connected) throw new Error(`not connected: ${result.reason}`);
    side.client = result.client;
    side.identities = [];
    this.#byConnection.delete(side.connection);
    side.connection = `c${++this.#connections}`;
    this.#byConnection.set(side.connection, side);
    return result.client;
  }

  async #reconnect(side: Side, behind: number, paths: readonly string[]): Promise<void> {
    const credentials = side.client.credentials;
    side.client.disconnect();
    this.#server.disconnect(side.connection);
    await this.#connect(side, credentials);
    const full = paths.map((path) => this.#root + path);
    await this.#request(side, {
      op: "setWatches",
      relativeZxid: this.#zxid - behind,
      data: full,
      exists: full.slice(1),
      children: full.slice(0, 2),
      persistent: [],
      persistentRecursive: [],
    });
  }

  async #request(side: Side, request: ZnodeRequest): Promise<void> {
    const outcome = await side.client.request(request);
    // What the release cannot say is not sent.
    if (outcome.outcome === "unsent" && outcome.reason.includes("has no")) return;
    if (outcome.outcome !== "answered") throw new Error(`${JSON.stringify(request)}: ${outcome.reason}`);
    const expected = this.#specified(side, request);
    expect({ request, answer: comparable(request, outcome.answer) }).toEqual({
      request,
      answer: comparable(request, expected, outcome.answer),
    });
  }

  #specified(side: Side, request: ZnodeRequest): ZnodeAnswer {
    if (!isWrite(request)) {
      if (request.op === "addAuth") {
        const identity = authenticate(request.scheme, request.auth);
        if (identity !== undefined) side.identities.push(identity);
      }
      return this.#server.answer(request, side.connection);
    }
    const session = side.client.credentials.session;
    const header = { session, cxid: 0, zxid: ++this.#zxid, timeMs: 0 };
    const answer = this.#server.apply(header, this.#leader.prepare(header, request, side.identities));
    this.#leader.applied(header.zxid);
    return answer;
  }

  /** An answer comes after all events before it. */
  async #flush(): Promise<void> {
    for (const { client } of this.#sides)
      if (client.connected) await client.request({ op: "exists", path: "/" });
  }

  #compareEvents(side: Side, step: ClientStep): void {
    const inOrder = (events: readonly WatchEvent[]): readonly WatchEvent[] => {
      // The nodes of a closed session go in an order of the server's own.
      if (step.do !== "renew") return events;
      return events.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    };
    expect({ step, events: inOrder(side.real) }).toEqual({ step, events: inOrder(side.expected) });
    side.real.length = 0;
    side.expected.length = 0;
  }
}

/** What has to be the same: everything but times, the order of children, and what the protocol does not carry. */
function comparable(request: ZnodeRequest, answer: ZnodeAnswer, real: ZnodeAnswer = answer): unknown {
  const zxid = request.op === "addAuth" ? 0 : answer.zxid;
  const results = answer.error === null ? answer.result.results : answer.results;
  const told = real.error === null ? real.result.results : real.results;
  const parts =
    request.op === "multi" ? results?.map((result, i) => withoutTimes(result, told?.[i])) : undefined;
  if (answer.error !== null) return { error: answer.error, zxid, parts };
  if (request.op === "check" || request.op === "sync" || request.op === "multi")
    return { error: null, zxid, parts };
  const { path, data, stat, children, acl } = answer.result;
  const shows = real.error === null && real.result.stat !== undefined;
  return {
    error: null,
    zxid,
    path,
    data,
    stat: shows && stat !== undefined ? timeless(stat) : undefined,
    children: children?.toSorted(),
    acl,
  };
}

function withoutTimes(result: SubResult, real: SubResult | undefined): unknown {
  if (result.op === "setData") return { op: result.op, stat: timeless(result.stat) };
  if (result.op !== "create") return result;
  const shows = real?.op === "create" && real.stat !== undefined && result.stat !== undefined;
  return {
    op: result.op,
    path: result.path,
    stat: shows && result.stat !== undefined ? timeless(result.stat) : undefined,
  };
}

function timeless({ ctime: _c, mtime: _m, ...stat }: Stat): Omit<Stat, "ctime" | "mtime"> {
  return stat;
}
