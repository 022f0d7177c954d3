import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, OperationError, type ZnodeAnswer, type ZnodeRequest } from "../../model/index.ts";
import type {
  AppliedFault,
  Client,
  Clock,
  Cluster,
  ConnectOptions,
  ConnectResult,
  Finding,
  Role,
  Support,
} from "../cluster.ts";
import type { Fault, FaultKind, ServerName } from "../fault.ts";
import { connectToServer, dialectOf } from "../protocol/index.ts";
import { all } from "./all.ts";
import { clientPort } from "./configuration.ts";
import { Disks } from "./disks.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { FaultControl } from "./fault-control.ts";
import { entries, type Ensemble, type FaultEntry, type Place, type Preparation } from "./faults/index.ts";
import { labelsOfImage } from "./images/base-image.ts";
import { releaseLabel, releaseOfTag } from "./images/names.ts";
import type { Progress } from "./images/tool.ts";
import { repairAll } from "./faults/repair.ts";
import { UndoJournal } from "./journal.ts";
import { Member } from "./member.ts";
import { type DockerClusterOptions, imagesOf, type Images, validate } from "./options.ts";
import { labelsOf, thisOwner } from "./owner.ts";
import { planMembers } from "./plans.ts";
import { awaitQuorum, statusesOf, statusOf, type Watched } from "./quorum.ts";
import { removeNetwork } from "./removal.ts";
import { makeScratch, removeScratch } from "./scratch.ts";
import { addressIn, createNetwork } from "./subnet.ts";
import { runLabel, sweep } from "./sweep.ts";

const startTimeoutDefaultMs = 60_000;
const pollMs = 50;

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
  return new DockerCluster(engine, options, await imagesOf(engine, options, progress));
}

export class DockerCluster implements Cluster {
  readonly kind = "docker";
  readonly servers: readonly ServerName[];
  readonly voters: readonly ServerName[];
  readonly clock: Clock;
  /** The id that all containers, networks and volumes of this run carry in the label `zabcheck.run`. */
  readonly run: string;
  readonly #engine: Engine;
  readonly #options: DockerClusterOptions;
  readonly #images: Images;
  readonly #progress: Progress;
  readonly #scratch: string;
  readonly #journal: UndoJournal;
  /** The ensemble as faults see it. */
  readonly #seen: Ensemble;
  readonly #faults: FaultControl;
  readonly #watched: Watched;
  readonly #clients = new Set<Client>();
  readonly #findings: Finding[] = [];
  readonly #prepared = new Set<Preparation>();
  /** What was found out, by how: some kinds of fault share a probe. */
  readonly #probes = new Map<FaultEntry["probe"], Promise<string | undefined>>();
  /** The servers, then the spares. */
  #members: readonly Member[] = [];
  #disks: Disks | undefined;
  #network: string | undefined;
  /** By server, as far as it is known: from the image's name or label, then from the server itself. */
  readonly #releases = new Map<ServerName, string>();
  #state: "made" | "started" | "stopped" = "made";

  constructor(engine: Engine, options: DockerClusterOptions, images: Images) {
    this.#engine = engine;
    this.#options = options;
    this.#images = images;
    this.#progress = options.progress ?? (() => {});
    this.run = `${new Date()
      .toISOString()
      .replaceAll(/[-:]|\..*/g, "")
      .toLowerCase()}-${randomBytes(3).toString("hex")}`;
    const { servers, observers = 0 } = options;
    this.servers = Array.from({ length: servers + observers }, (_, i) => `server-${i + 1}`);
    this.voters = this.servers.slice(0, servers);
    this.#scratch = makeScratch("run");
    this.#journal = new UndoJournal(this.#scratch);
    this.#seen = this.#ensemble();
    this.#faults = new FaultControl(this.#journal, this.#seen);
    this.#watched = this.#watchedBy();
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
      ...new Set(this.servers.map((server, i) => this.#releases.get(server) ?? this.#images.servers[i])),
    ];
    return `zookeeper ${releases.join(", ")}`;
  }

  get spares(): readonly ServerName[] {
    return this.#prepared.has("spare") ? [`server-${this.servers.length + 1}`] : [];
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  async supports(kind: FaultKind): Promise<Support> {
    const entry = entries[kind];
    let found = this.#probes.get(entry.probe);
    if (found === undefined) {
      found = this.#place().then((place) => entry.probe(place));
      this.#probes.set(entry.probe, found);
    }
    const reason = await found;
    if (reason !== undefined) return { supported: false, reason };
    if (this.#state !== "made" && entry.needs !== undefined && !this.#prepared.has(entry.needs)) {
      return { supported: false, reason: "the ensemble was not prepared for it before its start" };
    }
    return { supported: true, how: entry.how };
  }

  async prepare(kinds: readonly FaultKind[]): Promise<void> {
    if (this.#state !== "made")
      throw new OperationError("state", "the cluster was started", "prepare it before");
    await all(kinds, async (kind) => {
      const support = await this.supports(kind);
      if (!support.supported) throw refused(kind, support.reason);
      const { needs } = entries[kind];
      if (needs !== undefined) this.#prepared.add(needs);
    });
  }

  async start(): Promise<void> {
    if (this.#state !== "made") throw new OperationError("state", "a cluster starts once", "make another");
    this.#state = "started";
    const from = performance.now();
    const seconds = (): string => ((performance.now() - from) / 1000).toFixed(1);
    try {
      await this.#create();
      this.#progress(`${this.#members.length} servers' containers made after ${seconds()} s`);
      const servers = new Set(this.servers);
      await all(this.#members, (member) =>
        Promise.all([member.openSide(), servers.has(member.name) ? member.startServer() : undefined]),
      );
      this.#progress(`servers started after ${seconds()} s`);
      await this.#awaitQuorum(this.#options.startTimeoutMs ?? startTimeoutDefaultMs, true);
      // ZooKeeper does not sync its first snapshot (ZOOKEEPER-2310); after half a minute the system has written it.
      for (const server of this.servers) await this.#disks?.flush(server);
      this.#progress(`a quorum serves after ${seconds()} s`);
    } catch (error) {
      await this.stop().catch(() => undefined);
      throw error;
    }
  }

  async #create(): Promise<void> {
    const { publishPort, subnet } = this.#options;
    const place = await this.#place();
    const labels = place.labels;
    for (const [i, server] of this.servers.entries()) {
      const release = place.releases[i];
      if (release !== undefined) this.#releases.set(server, release);
    }
    const name = `zabcheck-${this.run}`;
    this.#network = name;
    const names = [...this.servers, ...this.spares];
    const options = {
      name,
      labels,
      // Published ports do not work on an internal network.
      internal: publishPort === undefined,
      ...(subnet === undefined ? {} : { subnet }),
    };
    // Both end before a failure of one is thrown, so that nothing is made behind the back of who cleans up.
    const [networked, disked] = await Promise.allSettled([
      createNetwork(this.#engine, options),
      this.#prepared.has("disks") ? this.#makeDisks(labels, names) : undefined,
    ]);
    if (networked.status === "rejected") throw networked.reason;
    if (disked.status === "rejected") throw disked.reason;
    const network = networked.value;
    const planned = await planMembers({
      engine: this.#engine,
      options: this.#options,
      place,
      run: this.run,
      network: name,
      names,
      voters: this.voters.length,
      spares: this.spares.length,
      addressOf: (i) => addressIn(network.subnet, i + 2),
      disks: this.#disks,
      prepared: this.#prepared,
    });
    // Known before they are made, so that what a failure leaves half made is removed, too.
    this.#members = planned.members;
    await planned.create();
  }

  async #makeDisks(labels: Record<string, string>, servers: readonly ServerName[]): Promise<void> {
    this.#disks = await Disks.make(this.#engine, this.run, labels, this.#images.side.image, servers);
  }

  async #place(): Promise<Place> {
    const { servers: images, other, side } = this.#images;
    const releases = await Promise.all(
      images.map(
        async (image) => (await labelsOfImage(this.#engine, image))?.[releaseLabel] ?? releaseOfTag(image),
      ),
    );
    return {
      engine: this.#engine,
      labels: { [runLabel]: this.run, ...labelsOf(thisOwner()) },
      sideImage: side.image,
      sideLacks: side.lacks,
      images,
      otherImage: other,
      voters: this.voters.length,
      releases,
    };
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
    const statuses = await statusesOf(this.#watched);
    return new Map([...statuses].map(([server, status]) => [server, status?.role ?? "none"]));
  }

  awaitQuorum(timeoutMs: number): Promise<void> {
    return this.#awaitQuorum(timeoutMs, false);
  }

  async #awaitQuorum(timeoutMs: number, starting: boolean): Promise<void> {
    for (const [server, status] of await awaitQuorum(this.#watched, timeoutMs, starting)) {
      if (status?.release !== undefined) this.#releases.set(server, status.release);
    }
  }

  async apply(fault: Fault): Promise<AppliedFault> {
    const support = await this.supports(fault.kind);
    if (!support.supported) throw refused(fault.kind, support.reason);
    return await this.#faults.apply(fault);
  }

  async heal(): Promise<void> {
    await this.#faults.heal();
    if (this.#state === "started") await repairAll(this.servers, this.#seen);
  }

  async collect(directory: string): Promise<void> {
    const servers = new Set(this.servers);
    const started = this.#members.filter((member) => servers.has(member.name) || member.started);
    await all(started, (member) => member.collect(`${directory}/${member.name}`));
  }

  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    for (const client of this.#clients) client.disconnect();
    this.#clients.clear();
    this.#faults.stop();
    await this.#faults.inTurn(async () => {
      await all(this.#members, (member) => member.remove());
      await this.#disks?.remove();
      if (this.#network !== undefined) await removeNetwork(this.#engine, this.#network);
      this.#journal.close();
      removeScratch(this.#scratch);
      this.#state = "stopped";
    });
  }

  #member(server: ServerName): Member {
    const member = this.#members.find(({ name }) => name === server);
    if (member !== undefined) return member;
    const there = [...this.servers, ...this.spares];
    throw new InputError(`there is no server '${server}'`, `there are: ${there.join(", ")}`);
  }

  #reach(member: Member): { host: string; port: number } {
    const { address, publishedPort } = member.plan;
    return publishedPort === undefined
      ? { host: address, port: clientPort }
      : { host: "127.0.0.1", port: publishedPort };
  }

  #watchedBy(): Watched {
    return {
      members: () => this.#members.filter((member, i) => i < this.servers.length || !member.killed),
      voters: () => this.voters,
      reach: (member) => this.#reach(member),
      silent: () => {
        const faults = this.#faults.inForce();
        const dead = faults.filter(({ kind }) => kind === "kill" || kind === "pause" || kind === "power-cut");
        return new Set(dead.flatMap((fault) => ("servers" in fault ? fault.servers : [])));
      },
      faulty: () => this.#faults.touched(),
    };
  }

  #ensemble(): Ensemble {
    const disks = (): Disks | undefined => this.#disks;
    return {
      get disks() {
        return disks();
      },
      voters: this.voters,
      otherImage: this.#images.other,
      member: (server) => this.#member(server),
      addressOf: (server) => this.#member(server).plan.address,
      inForce: () => this.#faults.inForce(),
      unfinished: () => this.#faults.unfinished(),
      inTurn: (work) => this.#faults.inTurn(work),
      roles: () => this.roles(),
      awaitServing: (server, timeoutMs) => this.#awaitServing(this.#member(server), timeoutMs),
      ask: (request, except, timeoutMs) => this.#ask(request, except, timeoutMs),
      found: (finding) => this.#findings.push(finding),
    };
  }

  async #awaitServing(member: Member, timeoutMs: number): Promise<"serves" | "ended" | "silent"> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const status = await statusOf(this.#reach(member));
      if (status !== undefined && status.role !== "none") {
        if (status.release !== undefined) this.#releases.set(member.name, status.release);
        return "serves";
      }
      if (!(await member.state()).running) return "ended";
      if (performance.now() >= deadline || this.#state !== "started") return "silent";
      await sleep(pollMs);
    }
  }

  async #ask(
    request: ZnodeRequest,
    except: readonly ServerName[],
    timeoutMs: number,
  ): Promise<ZnodeAnswer | undefined> {
    const deadline = performance.now() + timeoutMs;
    const roles = [...(await this.roles())].filter(
      ([server, role]) => role !== "none" && !except.includes(server),
    );
    for (const [server] of roles) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return undefined;
      const limits = { connectTimeoutMs: leftMs, requestTimeoutMs: leftMs };
      const result = await this.connect({ server, sessionTimeoutMs: 10_000, ...limits });
      if (!result.connected) continue;
      const outcome = await result.client.request(request);
      if (outcome.outcome === "answered") await result.client.close();
      else result.client.disconnect();
      if (outcome.outcome === "answered") return outcome.answer;
    }
    return undefined;
  }
}

function refused(kind: FaultKind, reason: string): OperationError {
  return new OperationError("fault", `no ${kind} here: ${reason}`, "choose other --faults");
}
