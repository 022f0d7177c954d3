import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container } from "dockerode";
import { OperationError } from "../../model/index.ts";
import type { ServerName } from "../cluster.ts";
import { archiveOf, extractFiles } from "./archive.ts";
import { clientPort, jvmFlags } from "./configuration.ts";
import { type Engine, engineFailure, isConflict, isMissing, reasonOf } from "./engine.ts";
import { findPacketFilter, type PacketFilter, setPacketFilter, tableOf } from "./packet-filter.ts";
import { Shell } from "./shell.ts";

/** What a member is made of. */
export interface MemberPlan {
  readonly name: ServerName;
  /** From 1: the number in myid. */
  readonly number: number;
  readonly run: string;
  readonly labels: Record<string, string>;
  readonly network: string;
  readonly address: string;
  readonly image: string;
  /** Has a shell, and iptables if partitions are wanted. */
  readonly sideImage: string;
  readonly jvmFlags: readonly string[];
  readonly memoryBytes: number;
  /** A port of this host that leads to the server, where containers' addresses are out of reach. */
  readonly publishedPort?: number;
}

/** The folders that a server writes, each a volume of its own: they outlive its container. */
const folders = ["data", "datalog", "logs"] as const;

const logTailLines = 20;

/**
 * One server: a side container that owns the network namespace, and the server's container inside of it. So the
 * address, the packet filter and the volumes stay when the server is killed, and the server's image needs no tools.
 */
export class Member {
  readonly plan: MemberPlan;
  readonly #engine: Engine;
  #side: Container | undefined;
  #server: Container | undefined;
  #shell: Shell | undefined;
  #filterProgram: string | undefined;
  /** By a fault of ours, as opposed to a server that ended by itself. */
  killed = false;

  constructor(engine: Engine, plan: MemberPlan) {
    this.#engine = engine;
    this.plan = plan;
  }

  get name(): ServerName {
    return this.plan.name;
  }

  get serverContainer(): string {
    return `zabcheck-${this.plan.run}-${this.plan.name}`;
  }

  get sideContainer(): string {
    return `zabcheck-${this.plan.run}-side-${this.plan.number}`;
  }

  /** Makes both containers with the configuration inside, starts the side container, and leaves the server unstarted. */
  async create(configuration: string): Promise<void> {
    const { plan } = this;
    try {
      this.#side = await this.#createSide();
      await this.#side.start();
      this.#server = await this.#createServer();
      const files = { "conf/zoo.cfg": configuration, "data/myid": `${plan.number}\n` };
      await this.#server.putArchive(await archiveOf(files), { path: "/" });
    } catch (error) {
      throw engineFailure(`make ${plan.name} from ${plan.image}`, error);
    }
  }

  #createSide(): Promise<Container> {
    const { plan } = this;
    const ports = plan.publishedPort;
    return this.#engine.createContainer({
      name: this.sideContainer,
      Image: plan.sideImage,
      Entrypoint: ["sleep"],
      Cmd: ["infinity"],
      User: "0",
      Hostname: plan.name,
      Labels: { ...plan.labels, "zabcheck.role": "side", "zabcheck.server": plan.name },
      ExposedPorts: ports === undefined ? {} : { [`${clientPort}/tcp`]: {} },
      HostConfig: {
        NetworkMode: plan.network,
        CapAdd: ["NET_ADMIN"],
        Mounts: this.#mounts(),
        ...(ports === undefined
          ? {}
          : { PortBindings: { [`${clientPort}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: String(ports) }] } }),
      },
      NetworkingConfig: {
        EndpointsConfig: { [plan.network]: { IPAMConfig: { IPv4Address: plan.address } } },
      },
    });
  }

  #createServer(): Promise<Container> {
    const { plan } = this;
    return this.#engine.createContainer({
      name: this.serverContainer,
      Image: plan.image,
      Env: [
        `JVMFLAGS=${[...jvmFlags, ...plan.jvmFlags].join(" ")}`,
        "JMXDISABLE=true",
        `ZOO_MY_ID=${plan.number}`,
      ],
      Labels: { ...plan.labels, "zabcheck.role": "server", "zabcheck.server": plan.name },
      HostConfig: {
        NetworkMode: `container:${this.sideContainer}`,
        Mounts: this.#mounts(),
        Memory: plan.memoryBytes,
        LogConfig: { Type: "json-file", Config: { "max-size": "64m", "max-file": "4" } },
      },
    });
  }

  #mounts(): { Type: "volume"; Source: string; Target: string; VolumeOptions: never }[] {
    const { run, name, labels } = this.plan;
    const options = { NoCopy: false, Labels: labels, DriverConfig: { Name: "local", Options: {} } };
    return folders.map((folder) => ({
      Type: "volume",
      Source: `zabcheck-${run}-${name}-${folder}`,
      Target: `/${folder}`,
      VolumeOptions: options as never,
    }));
  }

  async startServer(): Promise<void> {
    await this.#act("start", (server) => server.start());
    this.killed = false;
  }

  async killServer(): Promise<void> {
    await this.#act("kill", (server) => server.kill({ signal: "SIGKILL" }));
    this.killed = true;
  }

  async pauseServer(): Promise<void> {
    await this.#act("pause", (server) => server.pause());
  }

  async unpauseServer(): Promise<void> {
    await this.#act("unpause", (server) => server.unpause());
  }

  /** A server that is in the wanted state already is as good as one that was just brought there. */
  async #act(what: string, action: (server: Container) => Promise<unknown>): Promise<void> {
    try {
      await action(this.#existingServer());
    } catch (error) {
      if (isConflict(error) || /is not paused|already paused/.test(String(error))) return;
      throw engineFailure(`${what} ${this.name}`, error);
    }
  }

  async state(): Promise<{ running: boolean; paused: boolean; exitCode: number; outOfMemory: boolean }> {
    try {
      const { State } = await this.#existingServer().inspect();
      return {
        running: State.Running,
        paused: State.Paused,
        exitCode: State.ExitCode,
        outOfMemory: State.OOMKilled,
      };
    } catch (error) {
      throw engineFailure(`look at ${this.name}`, error);
    }
  }

  /** Opens the side container's shell and finds out which packet filter works there. */
  async openSide(): Promise<void> {
    this.#shell = await Shell.open(this.#engine, this.sideContainer);
    this.#filterProgram = await findPacketFilter(this.#shell);
  }

  get canFilter(): boolean {
    return this.#filterProgram !== undefined;
  }

  async setFilter(filter: PacketFilter): Promise<void> {
    if (this.#shell === undefined || this.#filterProgram === undefined) {
      throw new OperationError(
        "packet-filter",
        `there is no packet filter beside ${this.name}`,
        "ask `supports` first",
      );
    }
    await setPacketFilter(this.#shell, this.#filterProgram, filter);
  }

  /** All that the server wrote to its standard output and error, over all its lives. */
  async log(tail?: number): Promise<string> {
    try {
      const options = { stdout: true, stderr: true, follow: false } as const;
      const bytes = await this.#existingServer().logs(tail === undefined ? options : { ...options, tail });
      return withoutStreamHeaders(bytes);
    } catch (error) {
      throw engineFailure(`read the log of ${this.name}`, error);
    }
  }

  async lastLogLines(): Promise<string> {
    const log = await this.log(logTailLines).catch(() => "");
    const lines = log.split("\n").filter((line) => line.trim() !== "" && !/^\s+at /.test(line));
    return lines.slice(-5).join(" | ").slice(-1000);
  }

  /** Copies the log and the volumes into `folder`; works on a running, a paused and a dead server. */
  async collect(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "server.log"), await this.log());
    for (const name of folders) {
      try {
        await extractFiles(await this.#existingServer().getArchive({ path: `/${name}` }), folder);
      } catch (error) {
        throw engineFailure(`copy /${name} of ${this.name}`, error);
      }
    }
  }

  /** Removes containers and volumes; what is gone already is no error. */
  async remove(): Promise<void> {
    this.#shell?.close();
    this.#shell = undefined;
    await removeContainer(this.#engine, this.serverContainer);
    await removeContainer(this.#engine, this.sideContainer);
    await Promise.all(
      folders.map((folder) => removeVolume(this.#engine, `zabcheck-${this.plan.run}-${this.name}-${folder}`)),
    );
  }

  #existingServer(): Container {
    if (this.#server === undefined) {
      throw new OperationError("not-started", `${this.name} was not made yet`, "start the cluster first");
    }
    return this.#server;
  }
}

/** Removes a container by force, whatever its state. */
export async function removeContainer(engine: Engine, container: string): Promise<void> {
  await tolerant(`remove the container ${container}`, () =>
    engine.getContainer(container).remove({ force: true, v: true }),
  );
}

export async function removeVolume(engine: Engine, volume: string): Promise<void> {
  await tolerant(`remove the volume ${volume}`, () => engine.getVolume(volume).remove({ force: true }));
}

export async function removeNetwork(engine: Engine, network: string): Promise<void> {
  await tolerant(`remove the network ${network}`, () => engine.getNetwork(network).remove());
}

const busyAttemptsMax = 25;
const busyPauseMs = 200;

/** What is gone already is removed. What another process is removing just now, or what its users still hold, is asked for again. */
async function tolerant(what: string, action: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await action();
      return;
    } catch (error) {
      if (isMissing(error)) return;
      const busy = /already in progress|active endpoints|in use/i.test(reasonOf(error));
      if (!busy || attempt === busyAttemptsMax) throw engineFailure(what, error);
      await sleep(busyPauseMs);
    }
  }
}

/** Lets every packet pass to and from a container whose shell is not open: for undoing what a killed process did. */
export async function openNetwork(engine: Engine, container: string): Promise<void> {
  const shell = await Shell.open(engine, container);
  try {
    const program = await findPacketFilter(shell);
    if (program !== undefined) await shell.run(program, tableOf({ dropFrom: [] }));
  } finally {
    shell.close();
  }
}

/** The Engine sends both streams in pieces, each behind 8 bytes: which of them, and how long. */
function withoutStreamHeaders(bytes: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    pieces.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString("utf8");
}
