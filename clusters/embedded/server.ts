import type { ZnodeServer } from "../../model/index.ts";
import type { Role } from "../cluster.ts";
import type { LogDamage, ServerName } from "../fault.ts";
import { ClientConnection, type ToClient, type ToServer } from "./client-connection.ts";
import { ClientService } from "./client-service.ts";
import { Election } from "./election.ts";
import type { Host } from "./event-queue.ts";
import { Follower } from "./follower.ts";
import { Leader } from "./leader.ts";
import type { LearnerLink } from "./learner-link.ts";
import type { Synchronization } from "./learner-sync.ts";
import type { LeaderRequest, LinkMessage, Notification } from "./messages.ts";
import { durations, type Pipe } from "./network.ts";
import { Observer } from "./observer.ts";
import type { Defect, Settings, Timing } from "./options.ts";
import type { Random } from "./random.ts";
import type { TracedAction, TracedName } from "./trace.ts";
import type { World } from "./world.ts";
import { ZabState, type Logged, type ServerId } from "./zab-state.ts";

/** A snapshot of the tree is kept so often, so that a restart need not replay everything. */
const snapshotEvery = 20_000;
const notesMax = 10_000;

/** What a server needs of the ensemble around it. */
export interface Ensemble {
  readonly world: World;
  readonly settings: Settings;
  readonly servers: readonly EmbeddedServer[];
  dial(from: EmbeddedServer, to: ServerId, caller: Follower | Observer): void;
  notify(from: ServerId, to: ServerId, notification: Notification): void;
  passwordOf(session: string): string;
  /** Whether anybody wants to be told of steps. */
  readonly tracing: boolean;
  took(action: TracedAction): void;
}

/** What a server's disk and clocks are like. */
export interface Conditions {
  readonly disk: "well" | "failing";
  /** By how much an fsync takes longer. */
  readonly slowDiskMs: number;
  /** How far the wall clock is ahead. */
  readonly clockOffsetMs: number;
  /** How fast time passes for the server's own timers; 1 is right. */
  readonly clockRate: number;
}

export const goodConditions: Conditions = { disk: "well", slowDiskMs: 0, clockOffsetMs: 0, clockRate: 1 };

/** How a process ends: `killed`, and its system keeps what it was handed; with its `power`; because its `disk` fails. */
export type Crash = "killed" | "power" | "disk";

export type Counted = "DIFF" | "TRUNC" | "SNAP" | "election";

/**
 * One server: a process with a disk. What is on disk (`zab`'s epochs and history, the newest snapshot) survives
 * a crash; everything else starts anew.
 */
export class EmbeddedServer {
  readonly id: ServerId;
  readonly name: ServerName;
  readonly host: Host;
  readonly zab: ZabState = new ZabState();
  readonly service: ClientService;
  readonly settings: Settings;
  readonly voters: readonly ServerId[];
  /** What happened, in virtual time, for `collect`. */
  readonly notes: string[] = [];
  readonly counts: Record<Counted, number> = { DIFF: 0, TRUNC: 0, SNAP: 0, election: 0 };
  readonly #ensemble: Ensemble;
  readonly #random: Random;
  readonly #election: Election;
  readonly #fsyncTime: () => number;
  #up = false;
  #booted = false;
  /** Whether the process has read its disk and listens. */
  #ready = false;
  #leader: Leader | undefined;
  #follower: Follower | Observer | undefined;
  #tree: ZnodeServer<ClientConnection>;
  /** How many transactions of the history are in the tree. */
  #applied = 0;
  #snapshot: { readonly server: ZnodeServer<ClientConnection>; readonly applied: number } | undefined;
  #halfTicks = 0;
  /** With `ack-before-log` and `unsynced-log`: how much of the history is really on disk. */
  #onDisk = 0;
  #conditions: Conditions = goodConditions;
  /** The server's own monotonic clock was so many ns at that time, and has run at its rate since. */
  #local = { ns: 0, sinceNs: 0 };
  /** Why the process does not come up by itself any more. */
  #broken: "disk" | "log" | undefined;

  constructor(ensemble: Ensemble, id: ServerId, random: Random) {
    this.id = id;
    this.name = `server-${id + 1}`;
    this.host = { name: this.name, incarnation: 0, paused: false, held: [], eventNs: 0, freeNs: 0 };
    this.settings = ensemble.settings;
    this.voters = Array.from({ length: this.settings.voters }, (_, voter) => voter);
    this.#ensemble = ensemble;
    this.#random = random;
    this.#election = new Election(this);
    this.service = new ClientService(this);
    this.#tree = this.service.makeTree();
    this.#fsyncTime = durations(random.fork("disk"), this.timing.fsyncUs, this.timing.slowShare);
  }

  get timing(): Timing {
    return this.settings.timing;
  }

  get defect(): Defect | undefined {
    return this.settings.defect;
  }

  get tree(): ZnodeServer<ClientConnection> {
    return this.#tree;
  }

  get appliedCount(): number {
    return this.#applied;
  }

  /** Whether the process lives; it listens a little later. */
  get isUp(): boolean {
    return this.#up;
  }

  get listens(): boolean {
    return this.#ready;
  }

  get leader(): Leader | undefined {
    return this.#leader;
  }

  /** The connection with this server's leader. */
  get link(): LearnerLink | undefined {
    return this.#follower?.link;
  }

  /** As the server says itself; what a paused or dead server says nobody hears. */
  get role(): Role {
    if (!this.#up || this.host.paused || !this.service.serving) return "none";
    if (this.#leader !== undefined) return this.settings.voters === 1 ? "standalone" : "leader";
    return this.isVoter(this.id) ? "follower" : "observer";
  }

  now(): number {
    return this.#ensemble.world.now();
  }

  /** The server's clock, ms since 1970. */
  wallMs(): number {
    return this.settings.epochMs + Math.floor(this.now() / 1e6) + this.#conditions.clockOffsetMs;
  }

  /** The server's monotonic clock in ns, by which it expires sessions. */
  localNs(): number {
    return this.#local.ns + (this.now() - this.#local.sinceNs) * this.#conditions.clockRate;
  }

  get conditions(): Conditions {
    return this.#conditions;
  }

  setConditions(conditions: Conditions): void {
    this.#local = { ns: this.localNs(), sinceNs: this.now() };
    this.#conditions = conditions;
    if (conditions.disk === "well" && this.#broken === "disk") this.#broken = undefined;
  }

  /** Whether it was ever started. */
  get wasBooted(): boolean {
    return this.#booted;
  }

  /** Whether the process, when it is started, comes up. */
  get isSound(): boolean {
    return this.#broken === undefined;
  }

  isVoter(id: ServerId): boolean {
    return id >= 0 && id < this.settings.voters;
  }

  isQuorum(count: number): boolean {
    return count * 2 > this.settings.voters;
  }

  nameOf(id: ServerId): ServerName {
    return (this.#ensemble.servers[id] as EmbeddedServer).name;
  }

  passwordOf(session: string): string {
    return this.#ensemble.passwordOf(session);
  }

  /** Has something done later by the server's own clock, unless the server crashes before. */
  after(ms: number, done: () => void): void {
    const delayNs = Math.round((ms * 1e6) / this.#conditions.clockRate);
    this.#ensemble.world.schedule(delayNs, this.host, { fire: done });
  }

  /**
   * Has something done when what was written is on disk. A server whose disk fails ends. Differs: ZooKeeper goes back
   * to the election in the same process, and logs on behind the hole (ZOOKEEPER-4882).
   */
  fsync(done: () => void): void {
    const fire = (): void => (this.#conditions.disk === "well" ? done() : this.crash("disk"));
    const slowNs = this.#conditions.slowDiskMs * 1e6;
    this.#ensemble.world.schedule(this.#fsyncTime() + slowNs, this.host, { fire });
  }

  /** Only with a defect: nobody waits for the disk. */
  get skipsSync(): boolean {
    return this.defect === "ack-before-log" || this.defect === "unsynced-log";
  }

  /** A step of the specification was taken, by its name. */
  took(name: TracedName, first: ServerId, second?: ServerId): void {
    if (!this.#ensemble.tracing) return;
    this.#ensemble.took(second === undefined ? [name, first] : [name, first, second]);
  }

  note(text: string): void {
    if (this.notes.length < notesMax) this.notes.push(`${(this.now() / 1e9).toFixed(6)} ${text}`);
  }

  count(what: Counted): void {
    this.counts[what]++;
  }

  // Life

  boot(): void {
    this.#up = true;
    this.#booted = true;
    this.note("starts");
    this.#restoreSnapshot();
    this.after(this.#random.between(this.timing.bootMs, this.timing.bootMs * 2), () => {
      this.#ready = true;
      this.#halfTick();
      this.look("started");
    });
    if (this.skipsSync) this.#writeBack();
  }

  /** The process ends. Of a write in progress a prefix may be there, unless the power went. */
  crash(how: Crash = "killed"): void {
    if (!this.#up) return;
    this.#up = false;
    this.#ready = false;
    this.note(
      { killed: "is killed", power: "loses its power", disk: "ends: its log cannot be written" }[how],
    );
    if (how === "disk") this.#broken = "disk";
    const written = (pending: number): number => (how === "killed" ? this.#random.between(0, pending) : 0);
    this.#leader?.crash(written);
    this.#follower?.crash(written);
    this.#leader = undefined;
    this.#follower = undefined;
    this.host.incarnation++;
    this.host.held = [];
    this.#election.forget();
    this.service.stop("the server was killed");
    if (this.defect === "ack-before-log" || how === "power") this.#dropUnwritten();
    this.#lookingState();
    this.zab.lastCommitted = 0;
    this.#applied = 0;
    this.#tree = this.service.makeTree();
    this.took("Restart", this.id);
  }

  /**
   * Damages the log of a server that is down. `torn`: its last transaction is gone. `flipped`: the server finds out
   * when it starts, and does not come up. Undone by `mendLog`.
   */
  damageLog(damage: LogDamage): void {
    if (this.#up) throw new Error(`${this.name} is up`);
    if (damage === "flipped") this.#broken = "log";
    // Whoever has captured the log keeps what it was.
    else this.zab.history = this.zab.history.slice(0, -1);
    this.#onDisk = Math.min(this.#onDisk, this.zab.history.length);
    this.note(`finds its log ${damage}`);
  }

  mendLog(): void {
    if (this.#broken === "log") this.#broken = undefined;
  }

  // Roles

  /** Back to the election. */
  look(reason: string): void {
    this.note(`looks for a leader: ${reason}`);
    this.service.stop(`${this.name} has no leader`);
    this.#leader = undefined;
    this.#follower = undefined;
    if (this.defect === "ack-before-log") this.#dropUnwritten();
    this.#lookingState();
    if (this.settings.voters === 1 && this.isVoter(this.id)) this.lead();
    else this.#election.start();
  }

  lead(): void {
    this.#election.stop();
    this.zab.role = "LEADING";
    this.zab.zabState = "DISCOVERY";
    this.#leader = new Leader(this);
    this.took("UpdateLeader", this.id);
    this.note("was elected");
    if (this.settings.voters === 1) this.#leader.leadAlone();
  }

  follow(leader: ServerId): void {
    this.#election.stop();
    this.zab.role = "FOLLOWING";
    this.zab.zabState = "DISCOVERY";
    if (this.isVoter(this.id)) {
      this.#follower = new Follower(this, leader);
      this.took("FollowLeader", this.id);
    } else this.#follower = new Observer(this, leader);
  }

  /** A learner has dialled. Returns the link's end at the leader, or refuses. */
  accepts(link: LearnerLink): boolean {
    if (this.#leader === undefined) return false;
    if (!this.isVoter(link.learner.id)) return this.#leader.acceptObserver(link);
    this.#leader.accept(link);
    return true;
  }

  receiveFromLearner(link: LearnerLink, message: LinkMessage): void {
    if (link.leaderOpen) this.#leader?.receive(link, message);
  }

  receiveFromLeader(link: LearnerLink, message: LinkMessage): void {
    if (link.learnerOpen) this.#follower?.receive(message);
  }

  /** The network has reset the learner's connection. */
  resetFromLeader(link: LearnerLink): void {
    if (link.learnerOpen && this.link === link) this.#follower?.shutdown("its connection was reset");
  }

  /** The network has reset the leader's connection with a learner. */
  resetFromLearner(link: LearnerLink): void {
    if (link.leaderOpen) this.#leader?.resetFrom(link);
  }

  /** The leader closes its end of this server's link. */
  linkBreaks(link: LearnerLink): void {
    if (this.#follower instanceof Follower && this.#follower.link === link) this.#follower.linkBreaks();
  }

  receiveNotification(notification: Notification): void {
    if (this.#ready) this.#election.receive(notification);
  }

  notify(to: ServerId, notification: Notification): void {
    this.#ensemble.notify(this.id, to, notification);
  }

  dial(leader: ServerId, caller: Follower | Observer): void {
    this.#ensemble.dial(this, leader, caller);
  }

  // The tree

  /** Takes another history; what is applied already must be a beginning of it. */
  adopt(history: Logged[]): void {
    if (history === this.zab.history) return;
    const last = this.#applied === 0 ? undefined : this.zab.history[this.#applied - 1];
    if (last !== undefined && history[this.#applied - 1] !== last) this.#rebuild();
    this.zab.history = history;
    this.zab.lastCommitted = Math.min(this.zab.lastCommitted, history.length);
    this.#onDisk = history.length;
  }

  /** Takes the tree of a SNAP, if it is ahead of this server's. */
  restore({ tree, applied }: Extract<Synchronization, { kind: "SNAP" }>): void {
    if (applied <= this.#applied) return;
    this.#tree.restore(tree);
    this.#applied = applied;
  }

  /** Brings the tree up to what is committed, and answers those whose requests came in here. */
  applyCommitted(): void {
    const { history, lastCommitted } = this.zab;
    while (this.#applied < lastCommitted) {
      const transaction = history[this.#applied++] as Logged;
      const { header, body, origin } = transaction;
      const answer = this.#tree.apply(header, body);
      this.#leader?.applied(transaction);
      if (origin !== undefined && origin.server === this.id) this.service.applied(origin.request, answer);
      if (body.type === "closeSession") this.service.sessionClosed(header.session);
    }
    if (this.#applied - (this.#snapshot?.applied ?? 0) >= snapshotEvery) this.#takeSnapshot();
  }

  // Clients

  acceptClient(toClient: Pipe<ToClient>): ClientConnection {
    const connection = new ClientConnection(toClient);
    this.service.accept(connection);
    return connection;
  }

  receiveFromClient(connection: ClientConnection, message: ToServer): void {
    this.service.receive(connection, message);
  }

  /** A request that only the leader can answer. It is lost where there is none. */
  submit(request: LeaderRequest): void {
    if (this.#leader !== undefined) this.#leader.submit(request);
    else this.link?.toLeader.send({ type: "REQUEST", request });
  }

  revalidate(session: string, token: object): void {
    if (this.#leader !== undefined) {
      this.service.revalidated(token, this.#leader.revalidate(session, this.id));
    } else this.link?.toLeader.send({ type: "REVALIDATE", session, token });
  }

  #lookingState(): void {
    this.zab.role = "LOOKING";
    this.zab.zabState = "ELECTION";
    this.zab.connectInfo = undefined;
  }

  #halfTick(): void {
    this.after(this.timing.tickMs / 2, () => this.#halfTick());
    this.#leader?.tick();
    if (this.#halfTicks++ % 2 === 0) this.#follower?.tick();
  }

  #takeSnapshot(): void {
    const server = this.service.makeTree();
    server.restore(this.#tree.tree);
    this.#snapshot = { server, applied: this.#applied };
  }

  #restoreSnapshot(): void {
    if (this.#snapshot === undefined || this.#snapshot.applied > this.zab.history.length) return;
    this.#tree.restore(this.#snapshot.server.tree);
    this.#applied = this.#snapshot.applied;
  }

  /** Only with a defect: what was applied is not what became of it. */
  #rebuild(): void {
    if (this.defect === undefined) throw new Error(`${this.name}: a committed transaction is gone`);
    this.#snapshot = undefined;
    this.#tree = this.service.makeTree();
    this.#applied = 0;
    this.zab.lastCommitted = 0;
  }

  /** Only with a defect: what the disk has not yet is lost. */
  #dropUnwritten(): void {
    const { zab } = this;
    if (!this.skipsSync || this.#onDisk >= zab.history.length) return;
    zab.history = zab.history.slice(0, this.#onDisk);
    if (this.#applied > this.#onDisk) this.#rebuild();
    zab.lastCommitted = Math.min(zab.lastCommitted, this.#onDisk);
  }

  #writeBack(): void {
    this.#onDisk = this.zab.history.length;
    this.after(this.timing.writeBackMs, () => this.#writeBack());
  }
}
