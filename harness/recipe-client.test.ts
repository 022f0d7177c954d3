import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkZookeeper } from "../checkers/index.ts";
import { EmbeddedCluster, type Fault } from "../clusters/index.ts";
import {
  candidateDecisions,
  consumerDecisions,
  lockDecisions,
  memberDecisions,
  membersDecisions,
  participantDecisions,
  readerDecisions,
  sequentialIds,
  versionIds,
  writerDecisions,
  type Decisions,
  type RecipeEvent,
  type RecipeRequest,
  type Value,
  type ZnodeRequest,
} from "../model/index.ts";
import { HistoryRecorder } from "../results/index.ts";
import { RecipeClient } from "./recipe-client.ts";
import { Session, type Performed, type SessionOptions } from "./session.ts";
import { makeWorker } from "./worker.ts";
import type { Worker } from "./workloads/workload.ts";
import { make } from "./workloads/setup.ts";
import { World } from "./world.ts";

const sessionTimeoutMs = 4000;

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "zabcheck-recipe-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Place {
  readonly world: World;
  readonly cluster: EmbeddedCluster;
  client<State extends Value, Command extends string>(
    number: number,
    decisions: Decisions<State, Command>,
    more?: ClientOptions,
  ): RecipeClient<State, Command>;
}

interface ClientOptions {
  /** Connects there only. */
  readonly only?: string;
  readonly onEvent?: (event: RecipeEvent) => void;
}

/** An ensemble of three servers with these znodes, and clients whose driver is watched. */
async function at(
  clients: number,
  paths: readonly string[],
  run: (place: Place) => Promise<void>,
): Promise<void> {
  const cluster = new EmbeddedCluster({ seed: 7, servers: 3 });
  await cluster.start();
  const recorder = new HistoryRecorder(join(folder, "history.jsonl"), false);
  const world = new World({
    cluster,
    recorder,
    seed: 7,
    workers: clients,
    rate: 0,
    sessionTimeoutMs,
    requestTimeoutMs: 2500,
  });
  try {
    const setup = new Session(world, { process: clients, random: world.random("setup") });
    for (const path of paths) await make(setup, path, "");
    await setup.close();
    await run({
      world,
      cluster,
      client(number, decisions, { only, onEvent } = {}) {
        const worker = makeWorker(world, number);
        const bound: Worker = {
          ...worker,
          session: (options) => worker.session({ ...options, ...(only === undefined ? {} : { only }) }),
        };
        return new RecipeClient(bound, {
          decisions: watched(decisions),
          onDecision: (_state, _before, event) => onEvent?.(event),
        });
      },
    });
    const broken = checkZookeeper(recorder.events).filter(({ verdict }) => verdict === "violated");
    expect(broken).toEqual([]);
  } finally {
    recorder.close();
    await cluster.stop();
  }
}

/** The same decisions, told only what the models tell: a request is followed by what became of it, and by nothing else. */
function watched<State extends Value, Command extends string>(
  decisions: Decisions<State, Command>,
): Decisions<State, Command> {
  let inFlight: RecipeRequest | null = null;
  return {
    ...decisions,
    decide(state, event) {
      if (event.type === "answer") expect(event.request).toBe(inFlight);
      else if (inFlight !== null) expect(["disconnected", "expired"]).toContain(event.type);
      if (event.type === "command") expect(decisions.commands(state)).toContain(event.command);
      const decision = decisions.decide(state, event);
      inFlight = decision.request;
      return decision;
    },
  };
}

async function during(place: Place, fault: Fault, holdMs: number): Promise<void> {
  const applied = await place.cluster.apply(fault);
  await place.world.sleep(holdMs);
  await applied.undo();
  await place.cluster.awaitQuorum(60_000);
}

/** The leader killed, then each server for itself cut off from the others. */
async function trouble(place: Place): Promise<void> {
  const { cluster, world } = place;
  for (const server of cluster.servers) {
    const others = cluster.servers.filter((other) => other !== server);
    const cuts = others.flatMap((other) => [[server, other] as const, [other, server] as const]);
    await during(place, { kind: "partition", cuts }, 6000);
    await world.sleep(1000);
    await during(place, { kind: "kill", servers: [server] }, 3000);
  }
}

/** A recipe that does as it is commanded: what it sends next is data, what it is told it keeps. */
function scripted(...requests: readonly (RecipeRequest | null)[]): {
  readonly told: RecipeEvent[];
  readonly decisions: Decisions<number>;
} {
  const told: RecipeEvent[] = [];
  return {
    told,
    decisions: {
      start: 0,
      commands: () => ["go"],
      decide(state, event) {
        told.push(event);
        return { state: state + 1, request: requests[state] ?? null };
      },
    },
  };
}

type Script = (hooks: Partial<SessionOptions>) => Performed;

/** A session of which the test says what comes of each operation, and what happens in between. */
function scriptedWorker(...outcomes: readonly Script[]): {
  readonly worker: Worker;
  readonly performed: { readonly request: ZnodeRequest; readonly synced: boolean | undefined }[];
  readonly hooks: () => Partial<SessionOptions>;
} {
  let hooks: Partial<SessionOptions> = {};
  const performed: { request: ZnodeRequest; synced: boolean | undefined }[] = [];
  const session = {
    id: "0x1",
    connectedTo: "server-1",
    perform: async (request: ZnodeRequest, { synced }: { synced?: boolean }): Promise<Performed> => {
      performed.push({ request, synced });
      await Promise.resolve();
      return outcomes[performed.length - 1]?.(hooks) ?? { type: "none" };
    },
  };
  let timeNs = 0;
  const clock = { now: () => (timeNs += 1e6) };
  const world = { stopping: false, cluster: { clock }, sleep: () => Promise.resolve() };
  const worker = {
    world,
    session(options: Partial<SessionOptions>) {
      hooks = options;
      return session;
    },
  };
  return { worker: worker as unknown as Worker, performed, hooks: () => hooks };
}

/** Of the scripted clock, which goes on whenever it is asked. */
const soonMs = 1000;

const read: RecipeRequest = { op: "getChildren", path: "/a", watch: true, sync: true };
const event = { type: "NodeDeleted", path: "/a/b", zxid: 7 } as const;
const answered: Script = () => ({
  type: "ok",
  answer: { error: null, zxid: 1, result: { children: ["b"] } },
});

describe("a recipe's client", () => {
  test("tells events that come while a request is in flight after its answer", async () => {
    const { told, decisions } = scripted(read);
    const { worker } = scriptedWorker((hooks) => {
      hooks.onWatch?.(event);
      expect(told.map(({ type }) => type)).toEqual(["command"]);
      return answered(hooks);
    });
    const client = new RecipeClient(worker, { decisions });
    client.command("go", "tag");
    await client.run((state) => state === 3, soonMs);
    expect(told).toEqual([
      { type: "command", command: "go", tag: "tag" },
      {
        type: "answer",
        request: read,
        answer: { error: null, path: "", data: "", version: -1, czxid: 0, children: ["b"] },
      },
      { type: "event", event: { type: "NodeDeleted", path: "/a/b" } },
    ]);
  });

  test("tells a lost connection once: with a request in flight by its outcome, else at once", async () => {
    const { told, decisions } = scripted(read);
    const { worker, hooks } = scriptedWorker((own) => {
      own.onDisconnected?.();
      return { type: "info", reason: "the connection was lost" };
    });
    const client = new RecipeClient(worker, { decisions });
    client.command("go", "");
    await client.run((state) => state === 2, soonMs);
    expect(told.map(({ type }) => type)).toEqual(["command", "disconnected"]);
    hooks().onDisconnected?.();
    expect(told.map(({ type }) => type)).toEqual(["command", "disconnected", "disconnected"]);
  });

  test("tells the end of the session, and no event of it afterwards", async () => {
    const { told, decisions } = scripted(read);
    const { worker, hooks } = scriptedWorker((own) => {
      own.onWatch?.(event);
      own.onExpired?.();
      return { type: "none" };
    });
    const client = new RecipeClient(worker, { decisions });
    client.command("go", "");
    await client.run((state) => state === 2, soonMs);
    expect(told.map(({ type }) => type)).toEqual(["command", "expired"]);
    hooks().onExpired?.();
    expect(told.map(({ type }) => type)).toEqual(["command", "expired", "expired"]);
  });

  test("takes what certainly had no effect for a lost connection, and a definite error for an answer", async () => {
    const { told, decisions } = scripted(read, read);
    const { worker } = scriptedWorker(
      () => ({ type: "fail", error: "NoNode" }),
      () => ({ type: "fail", error: "the connection was closed before" }),
    );
    const client = new RecipeClient(worker, { decisions });
    client.command("go", "");
    await client.run((state) => state === 2, soonMs);
    expect(told.at(-1)).toEqual({ type: "answer", request: read, answer: { error: "NoNode" } });
    Object.assign(client.session, { connectedTo: undefined });
    await client.run((state) => state === 3, soonMs);
    expect(told.at(-1)).toEqual({ type: "disconnected" });
  });

  test("asks in the words of the client API, behind a sync where the recipe wants one", async () => {
    const create = { op: "create", path: "/a/n-", data: "x", ephemeral: true, sequential: true } as const;
    const remove = { op: "delete", path: "/a/b", version: 3 } as const;
    const requests: RecipeRequest[] = [
      read,
      { ...read, op: "exists", watch: false, sync: false },
      create,
      { ...create, ephemeral: false, sequential: false },
      { op: "multi", operations: [remove, { op: "check", path: "/a", version: 0 }, create] },
    ];
    const { decisions } = scripted(...requests);
    const { worker, performed } = scriptedWorker(...requests.map(() => answered));
    const client = new RecipeClient(worker, { decisions });
    client.command("go", "");
    await client.run((state) => state === requests.length + 1, soonMs);
    const created = { op: "create", path: "/a/n-", data: "x", mode: "ephemeral-sequential" };
    expect(performed).toEqual([
      { request: { op: "getChildren", path: "/a", watch: true }, synced: true },
      { request: { op: "exists", path: "/a" }, synced: false },
      { request: created, synced: false },
      { request: { ...created, mode: "persistent" }, synced: false },
      {
        request: { op: "multi", operations: [remove, { op: "check", path: "/a", version: 0 }, created] },
        synced: false,
      },
    ]);
  });
});

describe("a recipe's client on an ensemble", () => {
  test("locks: one holds at a time, and everybody does in the end", async () => {
    await at(3, ["/lock"], async (place) => {
      const holders = new Set<number>();
      const held = [0, 0, 0];
      const work = async (number: number): Promise<void> => {
        const client = place.client(number, lockDecisions("/lock"));
        for (let round = 0; round < 3; round++) {
          client.command("acquire-write", `${number}.${round}`);
          while (await client.run(({ phase }) => phase === "holding" || phase === "free")) {
            if (client.state.phase === "free") break;
            holders.add(number);
            held[number] = (held[number] ?? 0) + 1;
            expect(holders.size).toBe(1);
            await place.world.sleep(100);
            holders.delete(number);
            if (client.state.phase === "holding") client.command("release", "");
          }
        }
        await client.close();
      };
      await Promise.all([0, 1, 2].map(work));
      expect(held).toEqual([3, 3, 3]);
    });
  });

  test("locks: a reader and a reader hold together, a writer alone", async () => {
    await at(3, ["/lock"], async (place) => {
      const clients = [0, 1, 2].map((number) =>
        place.client(number, lockDecisions("/lock", ["read", "write"])),
      );
      const [first, second, third] = clients as [
        (typeof clients)[0],
        (typeof clients)[0],
        (typeof clients)[0],
      ];
      first.command("acquire-read", "a");
      expect(await first.run(({ phase }) => phase === "holding")).toBe(true);
      second.command("acquire-write", "b");
      expect(await second.run(({ phase }) => phase === "holding", 2000)).toBe(false);
      expect(second.state.phase).toBe("waiting");
      third.command("acquire-read", "c");
      expect(await third.run(({ phase }) => phase === "holding", 2000)).toBe(false);
      first.command("release", "");
      await Promise.all([
        first.run(({ phase }) => phase === "free"),
        second.run(({ phase }) => phase === "holding"),
      ]);
      expect(third.state.phase).toBe("waiting");
      second.command("release", "");
      await Promise.all([
        second.run(({ phase }) => phase === "free"),
        third.run(({ phase }) => phase === "holding"),
      ]);
      for (const client of clients) await client.close();
    });
  });

  test("elects anew when the leader crashes, under a greater token", async () => {
    await at(2, ["/election"], async (place) => {
      const [first, second] = [0, 1].map((number) =>
        place.client(number, candidateDecisions("/election")),
      ) as [
        RecipeClient<ReturnType<typeof candidateDecisions>["start"], "join" | "resign">,
        RecipeClient<ReturnType<typeof candidateDecisions>["start"], "join" | "resign">,
      ];
      first.command("join", "a");
      await first.run(({ phase }) => phase === "leading");
      const before = first.state;
      second.command("join", "b");
      expect(await second.run(({ phase }) => phase === "leading", 2000)).toBe(false);
      first.crash();
      expect(first.state).toEqual({ phase: "out" });
      expect(await second.run(({ phase }) => phase === "leading", 3 * sessionTimeoutMs)).toBe(true);
      const after = second.state;
      if (before.phase !== "leading" || after.phase !== "leading") throw new Error("nobody leads");
      expect(after.token).toBeGreaterThan(before.token);
      await second.close();
    });
  });

  test("does not send in a new session what was decided in one that expired", async () => {
    await at(2, ["/election"], async (place) => {
      const [server = ""] = place.cluster.servers;
      const told: string[] = [];
      const onEvent = ({ type }: RecipeEvent): void => void told.push(type);
      const client = place.client(0, candidateDecisions("/election"), { only: server, onEvent });
      client.command("join", "a");
      await client.run(({ phase }) => phase === "leading");
      client.command("resign", "");
      await client.run(({ phase }) => phase === "out");
      const cuts = place.cluster.servers.flatMap((other) =>
        other === server ? [] : [[server, other] as const, [other, server] as const],
      );
      const cut = await place.cluster.apply({ kind: "partition", cuts });
      await place.world.sleep(3 * sessionTimeoutMs);
      client.command("join", "b");
      expect(await client.run(({ phase }) => phase !== "creating", sessionTimeoutMs)).toBe(false);
      await cut.undo();
      expect(await client.run(({ phase }) => phase === "out", 10_000)).toBe(true);
      expect(told.at(-1)).toBe("expired");
      const list = await client.session.perform({ op: "getChildren", path: "/election" }, { synced: true });
      expect(list).toMatchObject({ type: "ok", answer: { result: { children: [] } } });
      await client.close();
    });
  });

  test("commands only what its state allows", async () => {
    await at(1, ["/lock"], async (place) => {
      const client = place.client(0, lockDecisions("/lock"));
      expect(client.commands).toEqual(["acquire-write"]);
      expect(() => client.command("release", "")).toThrow("release in the state");
      client.command("acquire-write", "a");
      expect(client.commands).toEqual([]);
      await client.close();
    });
  });

  test("says what a server refused that no recipe reckons with", async () => {
    await at(2, ["/members"], async (place) => {
      const member = place.client(0, memberDecisions("/members", "m"));
      member.command("join", "");
      await member.run(({ phase }) => phase === "member");
      const client = place.client(1, lockDecisions("/members/m"));
      client.command("acquire-write", "a");
      await expect(client.run(({ phase }) => phase === "holding")).rejects.toThrow(
        "create /members/m/a-write- was refused: NoChildrenForEphemerals",
      );
      await client.close();
      await member.close();
    });
  });

  test.each(["at-least-once", "multi"] as const)("a queue %s loses nothing in trouble", async (delivery) => {
    await at(3, ["/queue", "/done"], async (place) => {
      const processed = new Set<string>();
      const acknowledged = new Set<string>();
      let isPut = 0;
      const produce = async (number: number): Promise<void> => {
        const onEvent = (event: RecipeEvent): void => {
          if (event.type !== "answer" || event.request.op !== "create" || event.answer.error !== null) return;
          acknowledged.add(event.answer.path.slice("/queue/".length));
        };
        const decisions = consumerDecisions({ queue: "/queue", done: "/done" }, delivery);
        const client = place.client(number, decisions, { onEvent });
        for (let i = 0; i < 20; i++) {
          client.command("put", `${number}.${i}`);
          await client.run(({ phase }) => phase === "idle");
          await place.world.sleep(500);
        }
        isPut++;
        await client.close();
      };
      const consume = async (number: number): Promise<void> => {
        const client = place.client(number, consumerDecisions({ queue: "/queue", done: "/done" }, delivery));
        for (let idle = 0; idle < 20;) {
          client.command("take", "");
          await client.run(({ phase }) => phase === "idle" || phase === "processing");
          if (client.state.phase === "processing") {
            processed.add(client.state.element);
            client.command("processed", "");
            await client.run(({ phase }) => phase === "idle");
            idle = 0;
          } else if (isPut === 2) idle++;
          await place.world.sleep(50);
        }
        await client.close();
      };
      await Promise.all([produce(0), produce(1), consume(2), trouble(place)]);
      const session = new Session(place.world, { process: 3, random: place.world.random("end") });
      const childrenOf = async (path: string): Promise<readonly string[]> => {
        const read = await session.perform({ op: "getChildren", path }, { synced: true });
        return read.type === "ok" ? (read.answer.result.children ?? []) : [];
      };
      expect(await childrenOf("/queue")).toEqual([]);
      const dealtWith = delivery === "multi" ? new Set(await childrenOf("/done")) : processed;
      expect([...acknowledged].filter((element) => !dealtWith.has(element))).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(30);
      await session.close();
    });
  });

  test("a double barrier: nobody begins before all are there, nobody goes before all have finished", async () => {
    await at(3, ["/barrier"], async (place) => {
      const entered: number[] = [];
      const begun: number[] = [];
      const finished: number[] = [];
      const work = async (number: number): Promise<void> => {
        const client = place.client(number, participantDecisions("/barrier", `p${number}`, 3));
        await place.world.sleep(1000 * number);
        entered.push(number);
        client.command("enter", "");
        await client.run(({ phase }) => phase === "working");
        expect(entered.length).toBe(3);
        begun.push(number);
        await place.world.sleep(500 * number);
        finished.push(number);
        client.command("leave", "");
        expect(await client.run(({ phase }) => phase === "done")).toBe(true);
        expect(finished.length).toBe(3);
        await client.close();
      };
      await Promise.all([0, 1, 2].map(work));
      expect(begun.length).toBe(3);
    });
  });

  test("a reader has the last configuration in the end, whatever happened to its connections", async () => {
    await at(3, ["/configuration"], async (place) => {
      const path = "/configuration/current";
      let last = "";
      let isOver = false;
      const write = async (): Promise<void> => {
        const client = place.client(0, writerDecisions(path));
        for (let i = 0; i < 40; i++) {
          client.command("write", `v${i}`);
          await client.run(({ phase }) => phase === "idle");
          last = `v${i}`;
          await place.world.sleep(700);
        }
        isOver = true;
        await client.close();
      };
      const read = async (number: number): Promise<void> => {
        const client = place.client(number, readerDecisions(path));
        client.command("read", "");
        await client.run((state) => isOver && state.phase === "settled" && state.data === last, 120_000);
        expect(client.state).toMatchObject({ phase: "settled", data: last });
        await client.close();
      };
      await Promise.all([write(), read(1), read(2), trouble(place)]);
      expect(last).toBe("v39");
    });
  });

  test("a list of members is right in the end: without those that crashed, with those that stayed", async () => {
    await at(4, ["/members"], async (place) => {
      const members = [0, 1, 2].map((number) =>
        place.client(number, memberDecisions("/members", `m${number}`)),
      );
      const consumer = place.client(3, membersDecisions("/members"));
      consumer.command("read", "");
      for (const member of members) {
        member.command("join", "");
        await member.run(({ phase }) => phase === "member");
      }
      const sees = (...names: string[]): Promise<boolean> =>
        consumer.run(
          (state) => state.phase === "settled" && state.members.toSorted().join() === names.join(),
          60_000,
        );
      expect(await sees("m0", "m1", "m2")).toBe(true);
      members[0]?.crash();
      expect(await sees("m1", "m2")).toBe(true);
      members[1]?.command("leave", "");
      await members[1]?.run(({ phase }) => phase === "outside");
      expect(await sees("m2")).toBe(true);
      for (const client of [...members, consumer]) await client.close();
    });
  });

  test.each([
    ["sequential znodes", "/ids", sequentialIds],
    ["versions of a counter", "/counter", versionIds],
  ] as const)("ids from %s are given once", async (_, path, make) => {
    await at(3, [path], async (place) => {
      const given: number[] = [];
      const work = async (number: number): Promise<void> => {
        const client = place.client(number, make(path));
        for (let i = 0; i < 40; i++) {
          client.command("generate", "");
          await client.run(({ phase }) => phase !== "taking");
          if (client.state.phase === "given") given.push(client.state.id);
          await place.world.sleep(300);
        }
        await client.close();
      };
      await Promise.all([work(0), work(1), work(2), trouble(place)]);
      expect(new Set(given).size).toBe(given.length);
      expect(given.length).toBeGreaterThan(60);
    });
  });
});
