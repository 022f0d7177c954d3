import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container } from "dockerode";
import { OperationError } from "../../model/index.ts";
import type { ServerName } from "../fault.ts";
import { archiveOf, extractFiles, filesOf } from "./archive.ts";
import { logOf } from "./container-log.ts";
import {
  containerNames,
  folders,
  type MemberPlan,
  mountOf,
  serverOptions,
  sideOptions,
  traceOptions,
  volumeOf,
} from "./containers.ts";
import { type Engine, engineFailure, isConflict } from "./engine.ts";
import {
  findPacketFilter,
  openFilter,
  type PacketFilter,
  setPacketFilter,
  tableOf,
} from "./packet-filter.ts";
import { removeContainer, removeVolume } from "./removal.ts";
import { Shell } from "./shell.ts";
import { tryOut } from "./try-out.ts";

export interface ServerState {
  readonly running: boolean;
  readonly paused: boolean;
  /** Names one life of the process. */
  readonly startedAt: string;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
}

const logTailLines = 20;

/**
 * One server: a side container that owns the network namespace, and the server's container inside of it. So the
 * address, the packet filter and the volumes stay when the server is killed, and the server's image needs no tools.
 */
export class Member {
  readonly plan: MemberPlan;
  readonly #engine: Engine;
  #image: string;
  #side: Container | undefined;
  #server: Container | undefined;
  /** Containers that the server had before, with another image: their logs are the server's, too. */
  readonly #former: Container[] = [];
  #shell: Shell | undefined;
  #filterProgram: string | undefined;
  #table: string;
  /** As it was made, by path without a leading slash. */
  #files: Readonly<Record<string, string>> = {};
  /** By a fault of ours, or not started yet, as opposed to a server that ended by itself. */
  killed = true;
  /** Whether it ever ran. */
  started = false;

  constructor(engine: Engine, plan: MemberPlan) {
    this.#engine = engine;
    this.plan = plan;
    this.#image = plan.image;
    this.#table = tableOf(openFilter, plan.slowLinks);
  }

  get name(): ServerName {
    return this.plan.name;
  }

  /** Where transaction logs lie. */
  get logFolder(): string {
    return this.plan.disk === undefined ? "/datalog" : "/data";
  }

  get image(): string {
    return this.#image;
  }

  get serverContainer(): string {
    return containerNames(this.plan).server;
  }

  get sideContainer(): string {
    return containerNames(this.plan).side;
  }

  /** Of the container that traces the server, when there is one. */
  get traceContainer(): string {
    return containerNames(this.plan).trace;
  }

  /** A shell in the side container, beside the server: its network, its folder /logs. */
  get side(): Shell {
    if (this.#shell !== undefined) return this.#shell;
    throw new OperationError("not-started", `${this.name} was not started yet`, "start the cluster first");
  }

  /**
   * Makes both containers, the server's with these files (by path without a leading slash), the side container with
   * an archive of tools. Starts the side container, and leaves the server unstarted.
   */
  async create(files: Readonly<Record<string, string>>, tools: Buffer): Promise<void> {
    const { plan } = this;
    this.#files = files;
    try {
      this.#side = await this.#engine.createContainer(sideOptions(plan));
      await this.#side.putArchive(tools, { path: "/" });
      await this.#side.start();
      this.#server = await this.#engine.createContainer(serverOptions(plan, this.#image));
      await this.#server.putArchive(await archiveOf(files), { path: "/" });
    } catch (error) {
      throw engineFailure(`make ${plan.name} from ${this.#image}`, error);
    }
  }

  async startServer(): Promise<void> {
    await this.#act("start", (server) => server.start());
    this.killed = false;
    this.started = true;
  }

  async killServer(): Promise<void> {
    await this.#act("kill", (server) => server.kill({ signal: "SIGKILL" }));
    this.killed = true;
  }

  /** As an operator does it: SIGTERM, and SIGKILL to one who does not listen. */
  async stopServer(): Promise<void> {
    await this.#act("stop", (server) => server.stop({ t: 5 }));
    this.killed = true;
  }

  async pauseServer(): Promise<void> {
    await this.#act("pause", (server) => server.pause());
  }

  async unpauseServer(): Promise<void> {
    await this.#act("unpause", (server) => server.unpause());
  }

  /** The server goes on from another image with the same data and configuration, when it is started again. It must be dead. */
  async replaceServer(image: string): Promise<void> {
    const former = this.#existingServer();
    try {
      const files = filesOf(await former.getArchive({ path: "/conf" }), isConfiguration);
      await former.rename({ name: `${this.serverContainer}-before-${this.#former.length + 1}` });
      this.#former.push(former);
      this.#image = image;
      this.#server = await this.#engine.createContainer(serverOptions(this.plan, image));
      await this.#server.putArchive(await archiveOf(await files), { path: "/" });
    } catch (error) {
      throw engineFailure(`make ${this.name} from ${image}`, error);
    }
  }

  /** A share of one processor for the server; undefined for as many as there are. */
  async limitProcessor(share: number | undefined): Promise<void> {
    await this.#act("limit the processor of", (server) => server.update(processorLimit(share)));
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

  async state(): Promise<ServerState> {
    try {
      const { State } = await this.#existingServer().inspect();
      return {
        running: State.Running,
        paused: State.Paused,
        startedAt: State.StartedAt,
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
    const table = tableOf(filter, this.plan.slowLinks);
    if (table === this.#table) return;
    if (this.#filterProgram === undefined) {
      throw new OperationError(
        "packet-filter",
        `there is no packet filter beside ${this.name}`,
        "ask `supports` first",
      );
    }
    await setPacketFilter(this.side, this.#filterProgram, table);
    this.#table = table;
  }

  /** Runs a script in a container in the server's process-id namespace, where it may trace; it dies with the server. */
  async trace(script: string, words: readonly string[]): Promise<void> {
    try {
      const container = await this.#engine.createContainer(traceOptions(this.plan, script, words));
      await container.start();
    } catch (error) {
      throw engineFailure(`trace ${this.name}`, error);
    }
  }

  async endTrace(): Promise<void> {
    // It ends what it began; killed, it would leave it to the server, which does not reap.
    await this.#engine
      .getContainer(this.traceContainer)
      .stop({ t: 2 })
      .catch(() => undefined);
    await removeContainer(this.#engine, this.traceContainer);
  }

  /** What the tracing script has written so far: strace's lines. */
  async traced(): Promise<string> {
    return await logOf(this.#engine.getContainer(this.traceContainer)).catch(() => "");
  }

  /** The server's files below an absolute folder, by path without a leading slash; it may be dead. */
  async readFiles(
    path: string,
    wanted: (name: string) => boolean,
  ): Promise<Readonly<Record<string, Buffer>>> {
    try {
      return await filesOf(await this.#existingServer().getArchive({ path }), wanted, path);
    } catch (error) {
      throw engineFailure(`read ${path} of ${this.name}`, error);
    }
  }

  /** Forgets all that the server logged and believed; what it is called stays. It must be dead. */
  async emptyData(): Promise<void> {
    const { sideImage, labels } = this.plan;
    const { code, output } = await tryOut(this.#engine, labels, {
      image: sideImage,
      script: "rm -rf /data/version-2 /datalog/version-2",
      host: { Mounts: folders.map((folder) => mountOf(this.plan, folder)) },
    });
    if (code === 0) return;
    throw new OperationError("disk", `the data of ${this.name} could not be emptied: ${output.trim()}`, "");
  }

  /** The configuration that it was made with, in place of what it has written since. */
  async resetConfiguration(): Promise<void> {
    await this.writeFiles(this.#files);
  }

  /** Writes files into the server's container and its volumes. */
  async writeFiles(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    try {
      await this.#existingServer().putArchive(await archiveOf(files), { path: "/" });
    } catch (error) {
      throw engineFailure(`write files of ${this.name}`, error);
    }
  }

  /** All that the server wrote to its standard output and error, over all its lives. */
  async log(tail?: number): Promise<string> {
    try {
      const containers = [...this.#former, this.#existingServer()];
      const logs = await Promise.all(containers.map((container) => logOf(container, tail)));
      return logs.join("");
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
    await removeContainer(this.#engine, this.traceContainer);
    await removeContainer(this.#engine, this.serverContainer);
    for (const former of this.#former) await removeContainer(this.#engine, former.id);
    await removeContainer(this.#engine, this.sideContainer);
    await Promise.all(folders.map((folder) => removeVolume(this.#engine, volumeOf(this.plan, folder))));
  }

  #existingServer(): Container {
    if (this.#server === undefined) {
      throw new OperationError("not-started", `${this.name} was not made yet`, "start the cluster first");
    }
    return this.#server;
  }
}

const processorPeriodUs = 100_000;

/** For the Engine's call `update`: a quota of -1 is none. */
export function processorLimit(share: number | undefined): { CpuPeriod: number; CpuQuota: number } {
  const quota = share === undefined ? -1 : Math.max(1_000, Math.round(share * processorPeriodUs));
  return { CpuPeriod: processorPeriodUs, CpuQuota: quota };
}

/** zoo.cfg and what it refers to; loggers' configuration belongs to the release. */
function isConfiguration(name: string): boolean {
  return /(^|\/)zoo\.cfg/.test(name);
}

/** Lets every packet pass to and from a container whose shell is not open: for undoing what a killed process did. */
export async function openNetwork(engine: Engine, container: string): Promise<void> {
  const shell = await Shell.open(engine, container);
  try {
    const program = await findPacketFilter(shell);
    if (program !== undefined) await shell.run(program, tableOf(openFilter));
  } finally {
    shell.close();
  }
}
