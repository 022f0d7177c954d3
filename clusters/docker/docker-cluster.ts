import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, OperationError } from "../../model/index.ts";
import type {
  AppliedFault,
  Client,
  Clock,
  Cluster,
  ConnectOptions,
  ConnectResult,
  Fault,
  FaultKind,
  Role,
  ServerName,
} from "../cluster.ts";
import {
  askServer,
  connectToServer,
  dialectOf,
  parseServerStatus,
  type ServerStatus,
} from "../protocol/index.ts";
import { clientPort, configurationOf } from "./configuration.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { effects, type Ensemble, serversOf } from "./faults.ts";
import { labelsOfImage } from "./images/base-image.ts";
import { releaseLabel, releaseOfTag } from "./images/names.ts";
import type { Progress } from "./images/tool.ts";
import { UndoJournal } from "./journal.ts";
import { Member, removeNetwork } from "./member.ts";
import { type DockerClusterOptions, imagesOf, type SideImage, sideImageOf, validate } from "./options.ts";
import { labelsOf, thisOwner } from "./owner.ts";
import { makeScratch, removeScratch } from "./scratch.ts";
import { addressIn, createNetwork } from "./subnet.ts";
import { runLabel, sweep } from "./sweep.ts";

const memoryBytesDefault = 768 * 2 ** 20;
const startTimeoutDefaultMs = 60_000;
const pollMs = 50;
/** Below it a server may be slow; above it it does not answer. */
const statusTimeoutMs = 1_000;

/**
 * Makes an ensemble of real servers in containers, not yet started. Removes first what runs left whose process died.
 * Throws InputError for options that make no sense, OperationError "no-docker", "unknown-image" or what making an
 * image throws.
 */
export async function createDockerCluster(options: DockerClusterOptions): Promise<DockerCluster> {
  validate(options);
  const engine = await connectEngine();
  const progress = options.progress ?? (() => {});
  await sweep(engine);
  const images = await imagesOf(engine, options, progress);
  const side = await sideImageOf(engine, options.sideImage, images, progress);
  return new DockerCluster(engine, options, images, side);
}

interface FaultInForce {
  readonly fault: Fault;
  /** In the journal. */
  readonly number: number;
}

export class DockerCluster implements Cluster {
  readonly kind = "docker";
  readonly servers: readonly ServerName[];
  readonly clock: Clock;
  /** The id that all containers, networks and volumes of this run carry in the label `zabcheck.run`. */
  readonly run: string;
  readonly #engine: Engine;
  readonly #options: DockerClusterOptions;
  readonly #images: readonly string[];
  readonly #side: SideImage;
  readonly #progress: Progress;
  readonly #scratch: string;
  readonly #journal: UndoJournal;
  readonly #inForce = new Set<FaultInForce>();
  readonly #clients = new Set<Client>();
  #members: readonly Member[] = [];
  #network: string | undefined;
  /** By server, as far as it is known: from the image's name or label, then from the server itself. */
  readonly #releases = new Map<ServerName, string>();
  #state: "made" | "started" | "stopped" = "made";
  /** Faults are applied and undone one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, options: DockerClusterOptions, images: readonly string[], side: SideImage) {
    this.#engine = engine;
    this.#options = options;
    this.#images = images;
    this.#side = side;
    this.#progress = options.progress ?? (() => {});
    this.run = `${new Date()
      .toISOString()
      .replaceAll(/[-:]|\..*/g, "")
      .toLowerCase()}-${randomBytes(3).toString("hex")}`;
    this.servers = Array.from({ length: options.servers }, (_, i) => `server-${i + 1}`);
    this.#scratch = makeScratch("run");
    this.#journal = new UndoJournal(this.#scratch);
    const zero = process.hrtime.bigint();
    this.clock = {
      now: () => Number(process.hrtime.bigint() - zero),
      sleep: async (ms) => {
        await sleep(ms);
      },
    };
  }

  get version(): string {
    const releases = [
      ...new Set(this.servers.map((server, i) => this.#releases.get(server) ?? this.#images[i])),
    ];
    return `zookeeper ${releases.join(", ")}`;
  }

  supports(kind: FaultKind): { supported: true } | { supported: false; reason: string } {
    if (!(kind in effects)) return { supported: false, reason: `${kind} is not known to Docker clusters` };
    if (kind !== "partition") return { supported: true };
    if (this.#side.lacks !== undefined) return { supported: false, reason: this.#side.lacks };
    if (this.#state === "started" && !this.#members.every(({ canFilter }) => canFilter)) {
      return {
        supported: false,
        reason: "iptables works in no container here, neither by nftables nor by the old tables",
      };
    }
    return { supported: true };
  }

  async start(): Promise<void> {
    if (this.#state !== "made") throw new OperationError("state", "a cluster starts once", "make another");
    this.#state = "started";
    const from = performance.now();
    const seconds = (): string => ((performance.now() - from) / 1000).toFixed(1);
    try {
      await this.#create();
      this.#progress(`${this.servers.length} containers made after ${seconds()} s`);
      await all(this.#members, (member) => Promise.all([member.startServer(), member.openSide()]));
      this.#progress(`servers started after ${seconds()} s`);
      await this.#awaitQuorum(this.#options.startTimeoutMs ?? startTimeoutDefaultMs, true);
      this.#progress(`a quorum serves after ${seconds()} s`);
    } catch (error) {
      await this.stop().catch(() => undefined);
      throw error;
    }
  }

  async #create(): Promise<void> {
    const {
      publishPort,
      subnet,
      settings = {},
      memoryBytes = memoryBytesDefault,
      jvmFlags = [],
    } = this.#options;
    const labels = { [runLabel]: this.run, ...labelsOf(thisOwner()) };
    const name = `zabcheck-${this.run}`;
    // Published ports do not work on an internal network.
    const internal = publishPort === undefined;
    for (const [i, server] of this.servers.entries()) {
      const image = this.#images[i]!;
      const release = (await labelsOfImage(this.#engine, image))?.[releaseLabel] ?? releaseOfTag(image);
      if (release !== undefined) this.#releases.set(server, release);
    }
    this.#network = name;
    const network = await createNetwork(this.#engine, {
      name,
      labels,
      internal,
      ...(subnet === undefined ? {} : { subnet }),
    });
    this.#members = this.servers.map(
      (server, i) =>
        new Member(this.#engine, {
          name: server,
          number: i + 1,
          run: this.run,
          labels,
          network: name,
          address: addressIn(network.subnet, i + 2),
          image: this.#images[i]!,
          sideImage: this.#side.image,
          jvmFlags,
          memoryBytes,
          ...(publishPort === undefined ? {} : { publishedPort: publishPort + i }),
        }),
    );
    const configuration = configurationOf(
      this.#members.map(({ plan }) => plan.address),
      settings,
    );
    await all(this.#members, (member) => member.create(configuration));
  }

  async connect(options: ConnectOptions): Promise<ConnectResult> {
    const result = await connectToServer({
      ...options,
      ...this.#reach(this.#member(options.server)),
      dialect: dialectOf(this.#releases.get(options.server) ?? ""),
    });
    if (result.connected) {
      for (const client of this.#clients) if (!client.connected) this.#clients.delete(client);
      this.#clients.add(result.client);
    }
    return result;
  }

  async roles(): Promise<ReadonlyMap<ServerName, Role>> {
    const statuses = await this.#statuses();
    return new Map([...statuses].map(([server, status]) => [server, status?.role ?? "none"]));
  }

  async #statuses(): Promise<ReadonlyMap<ServerName, ServerStatus | undefined>> {
    const silent = this.#silentServers();
    const statuses = await Promise.all(
      this.#members.map((member) => (silent.has(member.name) ? undefined : this.#status(member))),
    );
    return new Map(this.#members.map(({ name }, i) => [name, statuses[i]]));
  }

  /** A loaded server sometimes answers `srvr` with nothing: it is asked twice. */
  async #status(member: Member): Promise<ServerStatus | undefined> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const reply = await askServer("srvr", { ...this.#reach(member), timeoutMs: statusTimeoutMs });
      if (reply.answered) return parseServerStatus(reply.text);
      if (/ECONNREFUSED/.test(reply.reason)) return undefined;
    }
    return undefined;
  }

  #silentServers(): ReadonlySet<ServerName> {
    const faults = [...this.#inForce].map(({ fault }) => fault);
    return new Set(faults.flatMap((fault) => (fault.kind === "partition" ? [] : fault.servers)));
  }

  awaitQuorum(timeoutMs: number): Promise<void> {
    return this.#awaitQuorum(timeoutMs, false);
  }

  async #awaitQuorum(timeoutMs: number, starting: boolean): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (let round = 0; ; round++) {
      const statuses = await this.#statuses();
      const faulty = new Set([...this.#inForce].flatMap(({ fault }) => serversOf(fault)));
      if (isQuorum(statuses, faulty)) {
        for (const [server, status] of statuses) {
          if (status?.release !== undefined) this.#releases.set(server, status.release);
        }
        return;
      }
      if (round % 10 === 9) await this.#assertAlive(starting);
      if (performance.now() > deadline) throw await this.#noQuorum(timeoutMs, statuses);
      await sleep(pollMs);
    }
  }

  /** Throws OperationError "server-died" where a server ended that no fault of ours killed. */
  async #assertAlive(starting: boolean): Promise<void> {
    for (const member of this.#members) {
      if (member.killed) continue;
      const { running, exitCode, outOfMemory } = await member.state();
      if (running) continue;
      const why = outOfMemory ? "out of memory" : `exit code ${exitCode}`;
      throw new OperationError(
        "server-died",
        `${member.name} (${member.plan.image}) ended by itself${starting ? " at its start" : ""}, ${why}; its log ends: ${await member.lastLogLines()}`,
        starting
          ? "is a setting wrong, or does the image not keep the official image's contract (/conf/zoo.cfg, /data/myid)?"
          : "its whole log is in the run's folder",
      );
    }
  }

  async #noQuorum(
    timeoutMs: number,
    statuses: ReadonlyMap<ServerName, ServerStatus | undefined>,
  ): Promise<OperationError> {
    const roles = [...statuses].map(([server, status]) => `${server} ${status?.role ?? "silent"}`).join(", ");
    const allSilent = [...statuses.values()].every((status) => status === undefined);
    const lines = await all(this.#members.slice(0, 1), (member) => member.lastLogLines());
    return new OperationError(
      "no-quorum",
      `no quorum within ${timeoutMs} ms: ${roles}; the log of server-1 ends: ${lines[0] ?? ""}`,
      allSilent
        ? "can this machine reach containers' addresses? Where the engine is elsewhere (or Docker Desktop), use --publish"
        : "is the machine overloaded?",
    );
  }

  async apply(fault: Fault): Promise<AppliedFault> {
    const support = this.supports(fault.kind);
    if (!support.supported) {
      throw new OperationError("fault", `no ${fault.kind} here: ${support.reason}`, "choose other --faults");
    }
    for (const server of serversOf(fault)) this.#member(server);
    return await this.#inTurn(async () => {
      const touched = this.#touchedBy(fault);
      const steps = touched.flatMap((member) => effects[fault.kind].undo(member));
      const active = { fault, number: this.#journal.intend(fault, steps) };
      this.#inForce.add(active);
      await this.#settle(fault);
      return { fault, undo: () => this.#inTurn(() => this.#undo(active)) };
    });
  }

  async #undo(active: FaultInForce): Promise<void> {
    if (this.#state === "stopped" || !this.#inForce.delete(active)) return;
    try {
      await this.#settle(active.fault);
    } catch (error) {
      // Still in force: it can be tried again, and the journal keeps it.
      this.#inForce.add(active);
      throw error;
    }
    this.#journal.undone(active.number);
  }

  async heal(): Promise<void> {
    await this.#inTurn(async () => {
      for (const active of [...this.#inForce].toReversed()) await this.#undo(active);
    });
  }

  async #settle(fault: Fault): Promise<void> {
    const inForce = [...this.#inForce].map((active) => active.fault);
    const ensemble: Ensemble = {
      members: this.#members,
      addressOf: (server) => this.#member(server).plan.address,
    };
    await all(this.#touchedBy(fault), (member) => effects[fault.kind].settle(member, inForce, ensemble));
  }

  #touchedBy(fault: Fault): readonly Member[] {
    return effects[fault.kind].servers(fault).map((server) => this.#member(server));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return await result;
  }

  async collect(directory: string): Promise<void> {
    await all(this.#members, (member) => member.collect(`${directory}/${member.name}`));
  }

  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    for (const client of this.#clients) client.disconnect();
    this.#clients.clear();
    await this.#inTurn(async () => {
      this.#inForce.clear();
      await all(this.#members, (member) => member.remove());
      if (this.#network !== undefined) await removeNetwork(this.#engine, this.#network);
      this.#journal.close();
      removeScratch(this.#scratch);
      this.#state = "stopped";
    });
  }

  #member(server: ServerName): Member {
    const member = this.#members.find(({ name }) => name === server);
    if (member !== undefined) return member;
    throw new InputError(`there is no server '${server}'`, `there are: ${this.servers.join(", ")}`);
  }

  #reach(member: Member): { host: string; port: number } {
    const { address, publishedPort } = member.plan;
    return publishedPort === undefined
      ? { host: address, port: clientPort }
      : { host: "127.0.0.1", port: publishedPort };
  }
}

/** One leader with a majority, and every server that no fault touches serves. One server alone leads nobody: it is "standalone". */
function isQuorum(
  statuses: ReadonlyMap<ServerName, ServerStatus | undefined>,
  faulty: ReadonlySet<ServerName>,
): boolean {
  const roles = [...statuses].map(([server, status]) => ({ server, role: status?.role ?? "none" }));
  const leaders = roles.filter(({ role }) => role === "leader" || role === "standalone");
  const serving = roles.filter(({ role }) => role !== "none");
  return (
    leaders.length === 1 &&
    2 * serving.length > roles.length &&
    roles.every(({ server, role }) => role !== "none" || faulty.has(server))
  );
}

/** Does something with every member at once. All end before the first failure is thrown, so that nothing goes on behind a caller's back. */
async function all<T>(members: readonly Member[], work: (member: Member) => Promise<T>): Promise<T[]> {
  const results = await Promise.allSettled(members.map(work));
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}
