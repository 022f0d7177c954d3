import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError, OperationError } from "../../model/index.ts";
import type {
  AppliedFault,
  Clock,
  Cluster,
  ConnectOptions,
  ConnectResult,
  Fault,
  FaultKind,
  Finding,
  Role,
  ServerName,
  Support,
} from "../cluster.ts";
import { serversOf } from "../fault.ts";
import { connectEmbedded } from "./client.ts";
import { collectServer } from "./collect.ts";
import { EmbeddedEnsemble } from "./ensemble.ts";
import { EmbeddedFaults, refusal } from "./fault-control.ts";
import { settingsOf, type EmbeddedOptions } from "./options.ts";
import type { Counted, EmbeddedServer } from "./server.ts";

const startTimeoutMs = 60_000;
const pollMs = 10;

/**
 * An ensemble of ZooKeeper servers under virtual time, in this process: Zab as in DSN 2011, the servers' own
 * election, and the znode state machine of model/sequential. One thread, no I/O; the same options and the same calls
 * give the same history, byte for byte. See World for what callers may await.
 */
export class EmbeddedCluster implements Cluster {
  readonly kind = "embedded";
  readonly version: string;
  readonly servers: readonly ServerName[];
  readonly voters: readonly ServerName[];
  readonly spares: readonly ServerName[] = [];
  readonly findings: readonly Finding[] = [];
  readonly ensemble: EmbeddedEnsemble;
  readonly #faults: EmbeddedFaults;
  #started = false;
  #stopped = false;

  constructor(options: EmbeddedOptions) {
    const settings = settingsOf(options);
    this.ensemble = new EmbeddedEnsemble(settings, options.seed);
    this.#faults = new EmbeddedFaults(this.ensemble);
    this.servers = this.ensemble.servers.map(({ name }) => name);
    this.voters = this.servers.slice(0, settings.voters);
    this.version = settings.defect === undefined ? "embedded" : `embedded with ${settings.defect}`;
  }

  get clock(): Clock {
    return this.ensemble.world;
  }

  async supports(kind: FaultKind): Promise<Support> {
    const reason = refusal(kind, this.voters.length);
    return reason === undefined
      ? { supported: true, how: "by the simulation" }
      : { supported: false, reason };
  }

  /** Nothing has to be: this world has everything. */
  async prepare(kinds: readonly FaultKind[]): Promise<void> {
    for (const kind of kinds) {
      const support = await this.supports(kind);
      if (!support.supported) throw refused(kind, support.reason);
    }
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    for (const server of this.ensemble.servers) server.boot();
    await this.awaitQuorum(startTimeoutMs);
  }

  connect(options: ConnectOptions): Promise<ConnectResult> {
    if (this.#stopped) {
      return Promise.resolve({ connected: false, failure: "refused", reason: "the cluster was stopped" });
    }
    const { world, clientLatency } = this.ensemble;
    return connectEmbedded(world, this.#server(options.server), clientLatency, options);
  }

  roles(): Promise<ReadonlyMap<ServerName, Role>> {
    return Promise.resolve(new Map(this.ensemble.servers.map(({ name, role }) => [name, role])));
  }

  async awaitQuorum(timeoutMs: number): Promise<void> {
    const { world } = this.ensemble;
    const deadline = world.now() + timeoutMs * 1e6;
    while (!this.#isWhole()) {
      if (world.now() >= deadline || this.#stopped) {
        const roles = this.ensemble.servers.map(({ name, role }) => `${name} ${role}`).join(", ");
        throw new OperationError(
          "no-quorum",
          `no quorum within ${timeoutMs} ms of virtual time: ${roles}`,
          "heal the faults first, or wait longer",
        );
      }
      await world.sleep(pollMs);
    }
  }

  async apply(fault: Fault): Promise<AppliedFault> {
    for (const name of serversOf(fault)) this.#server(name);
    const support = await this.supports(fault.kind);
    if (!support.supported) throw refused(fault.kind, support.reason);
    return await this.#faults.apply(fault);
  }

  async heal(): Promise<void> {
    this.#faults.heal();
  }

  async collect(directory: string): Promise<void> {
    for (const server of this.ensemble.servers) {
      const folder = join(directory, server.name);
      await mkdir(folder, { recursive: true });
      await collectServer(server, folder);
    }
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#faults.stop();
    for (const server of this.ensemble.servers) server.crash();
  }

  /** How often something happened in this run, over all servers: elections won, learners synchronized by DIFF, ... */
  counts(): Readonly<Record<Counted, number>> {
    const total: Record<Counted, number> = { DIFF: 0, TRUNC: 0, SNAP: 0, election: 0 };
    for (const { counts } of this.ensemble.servers) {
      for (const key of Object.keys(total) as Counted[]) total[key] += counts[key];
    }
    return total;
  }

  #server(name: ServerName): EmbeddedServer {
    const server = this.ensemble.servers.find((candidate) => candidate.name === name);
    if (server === undefined) {
      throw new InputError(`there is no ${name}`, `the servers are ${this.servers.join(", ")}`);
    }
    return server;
  }

  /** One leader serves, and so does every server that no fault touches. */
  #isWhole(): boolean {
    const touched = this.#faults.touched();
    const roles = this.ensemble.servers.map(({ name, role }) => ({ name, role }));
    const leaders = roles.filter(({ role }) => role === "leader" || role === "standalone");
    return leaders.length === 1 && roles.every(({ name, role }) => role !== "none" || touched.has(name));
  }
}

function refused(kind: FaultKind, reason: string): OperationError {
  return new OperationError("fault", `no ${kind} here: ${reason}`, "choose other --faults");
}
