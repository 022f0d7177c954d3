import { z } from "zod";
import {
  acceptToken,
  candidatesPath,
  decide,
  electionRoot,
  formatTokens,
  guardPath,
  leadershipDraft,
  outOfElection,
  parseTokens,
  type CandidateEvent,
  type CandidateState,
  type CandidateStep,
  type StepReason,
  type Zxid,
} from "../../model/index.ts";
import type { Session } from "../session.ts";
import { leaderElectionChecks } from "./checks.ts";
import { make } from "./setup.ts";
import type { Worker, Workload } from "./workload.ts";

export interface LeaderElectionOptions {
  /** How long a leader leads before it resigns or crashes: up to this many ms. */
  readonly leadMs: number;
  /** How long a client rests between two candidacies: up to this many ms. */
  readonly restMs: number;
  /** How often a leadership ends in a crash of the client instead of a resignation, 0 to 1. */
  readonly crash: number;
}

/**
 * The predecessor-watch election as client code: join, lead, resign, crash. Each leader appends its fencing token to
 * a guarded znode by a versioned write. What to do on which event is decided by the recipe's own pure function, which
 * the model explores, too (model/recipes/leader-election).
 */
export const leaderElection: Workload<LeaderElectionOptions> = {
  name: "leader-election",
  summary:
    "the predecessor-watch recipe: join, lead, resign, crash; leaders append fencing tokens to a guarded znode",
  options: z.strictObject({
    leadMs: z.coerce.number().min(1).max(3_600_000).default(150),
    restMs: z.coerce.number().min(0).max(3_600_000).default(100),
    crash: z.coerce.number().min(0).max(1).default(0.05),
  }),

  async setup(session) {
    for (const path of ["/zabcheck", electionRoot, candidatesPath, guardPath]) await make(session, path, "");
  },

  async work(worker, options) {
    const candidate = new Candidate(worker, options);
    while (await worker.pace()) await candidate.standOnce();
    await candidate.close();
  },

  async read(session) {
    await session.perform({ op: "getData", path: guardPath }, { synced: true, final: true });
    await session.perform({ op: "getChildren", path: candidatesPath }, { synced: true, final: true });
  },

  checks: leaderElectionChecks,
};

/** Waiting for a watch is looked at this often, so that the end of the run is not missed. */
const waitSliceMs = 20;

/** Steps of one candidacy; a client of a broken ensemble must not turn for ever. */
const stepsMax = 10_000;

const appendAttemptsMax = 20;

interface Belief {
  readonly candidate: string;
  readonly token: Zxid;
  readonly session: string;
}

/** One client that stands for election, again and again. */
class Candidate {
  readonly #worker: Worker;
  readonly #options: LeaderElectionOptions;
  readonly #session: Session;
  #state: CandidateState = outOfElection;
  #belief: Belief | undefined;
  /** What arrived outside of a reply since it was last looked at: the strongest of it. */
  #notice: "notified" | "disconnected" | "expired" | undefined;

  constructor(worker: Worker, options: LeaderElectionOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#session = worker.session({
      onWatch: (event) => {
        if (event.type === "NodeDeleted" && this.#state.phase !== "leading") this.#notice ??= "notified";
      },
      onDisconnected: () => {
        this.#stopBelieving("disconnected");
        if (this.#notice !== "expired") this.#notice = "disconnected";
      },
      onExpired: () => {
        this.#stopBelieving("expired");
        this.#notice = "expired";
      },
    });
  }

  /** One candidacy, from joining to being out again. */
  async standOnce(): Promise<void> {
    const { random, world } = this.#worker;
    await world.sleep(random.between(0, this.#options.restMs));
    this.#notice = undefined;
    let step = this.#learn({ type: "join", guid: random.hex(16) });
    for (let steps = 0; steps < stepsMax && this.#state.phase !== "out"; steps++) {
      const event = await this.#take(step);
      step = this.#learn(this.#notice === "expired" ? { type: "expired" } : event);
      if (world.stopping && this.#session.connectedTo === undefined) break;
    }
    this.#state = outOfElection;
  }

  async close(): Promise<void> {
    this.#stopBelieving("resigned");
    await this.#session.close();
  }

  #learn(event: CandidateEvent): CandidateStep {
    const { state, step } = decide(this.#state, event);
    this.#state = state;
    return step;
  }

  /** Does what was decided; resolves to what came of it. */
  async #take(step: CandidateStep): Promise<CandidateEvent> {
    switch (step.do) {
      case "create":
        return this.#create(step.prefix);
      case "list":
        return this.#list(step.sync);
      case "watch":
        return this.#exists(step.node, true);
      case "wait":
        return this.#wait();
      case "claim":
        return this.#exists(step.node, false);
      case "lead":
        return this.#lead(step.token);
      case "delete":
        return this.#delete(step.node);
      case "rest":
        await this.#worker.world.sleep(waitSliceMs);
        return { type: "resign" };
    }
  }

  async #create(prefix: string): Promise<CandidateEvent> {
    this.#notice = undefined;
    const path = `${candidatesPath}/${prefix}`;
    const done = await this.#session.perform({ op: "create", path, data: "", mode: "ephemeral-sequential" });
    if (done.type === "info") return { type: "disconnected" };
    if (done.type !== "ok") return this.#worker.world.stopping ? { type: "expired" } : { type: "refused" };
    return { type: "created", node: (done.answer.result.path ?? "").slice(candidatesPath.length + 1) };
  }

  async #list(synced: boolean): Promise<CandidateEvent> {
    if (this.#notice === "disconnected") this.#notice = undefined;
    const done = await this.#session.perform({ op: "getChildren", path: candidatesPath }, { synced });
    if (done.type !== "ok") return { type: "disconnected" };
    return { type: "children", nodes: done.answer.result.children ?? [] };
  }

  async #exists(node: string, watch: boolean): Promise<CandidateEvent> {
    if (watch) this.#notice = undefined;
    const path = `${candidatesPath}/${node}`;
    const done = await this.#session.perform({ op: "exists", path, ...(watch ? { watch } : {}) });
    if (done.type === "fail" && done.error === "NoNode") return { type: "absent" };
    const czxid = done.type === "ok" ? done.answer.result.stat?.czxid : undefined;
    return czxid === undefined ? { type: "disconnected" } : { type: "present", czxid };
  }

  async #wait(): Promise<CandidateEvent> {
    const { world } = this.#worker;
    while (this.#notice === undefined) {
      if (world.stopping) return { type: "resign" };
      await world.sleep(waitSliceMs);
    }
    const notice = this.#notice;
    this.#notice = undefined;
    return { type: notice };
  }

  /** Believes that it leads until it resigns, crashes, is deposed, or loses its connection. */
  async #lead(token: Zxid): Promise<CandidateEvent> {
    const { random, world } = this.#worker;
    if (this.#state.phase !== "leading" || this.#session.id === undefined) return { type: "disconnected" };
    this.#notice = undefined;
    this.#believe({ candidate: `${candidatesPath}/${this.#state.node}`, token, session: this.#session.id });
    if (!(await this.#append(token))) this.#stopBelieving("deposed");
    const untilNs = world.cluster.clock.now() + 1e6 * random.between(1, this.#options.leadMs);
    while (this.#believing && !world.stopping && world.cluster.clock.now() < untilNs)
      await world.sleep(waitSliceMs);
    if (!this.#believing) return { type: this.#heard() ?? "resign" };
    if (!world.stopping && random.chance(this.#options.crash)) {
      this.#stopBelieving("crashed");
      this.#session.crash();
      return { type: "expired" };
    }
    this.#stopBelieving("resigned");
    return { type: "resign" };
  }

  /** Appends the token to the guarded znode. False when a later leader was there, or it could not be found out. */
  async #append(token: Zxid): Promise<boolean> {
    for (let attempt = 0; attempt < appendAttemptsMax && this.#believing; attempt++) {
      const read = await this.#session.perform({ op: "getData", path: guardPath });
      if (read.type !== "ok") continue;
      const { data, stat } = read.answer.result;
      const accepted = acceptToken(parseTokens(data ?? null) ?? [], token);
      if (typeof accepted === "string") return accepted === "accepted";
      const version = stat?.version ?? -1;
      const write = await this.#session.perform({
        op: "setData",
        path: guardPath,
        data: formatTokens(accepted),
        version,
      });
      if (write.type === "ok") return true;
    }
    return false;
  }

  async #delete(node: string): Promise<CandidateEvent> {
    const done = await this.#session.perform({
      op: "delete",
      path: `${candidatesPath}/${node}`,
      version: -1,
    });
    if (done.type === "ok") return { type: "deleted" };
    if (done.type === "fail" && done.error === "NoNode") return { type: "absent" };
    return done.type === "none" ? { type: "expired" } : { type: "disconnected" };
  }

  /** What ended a belief, for the recipe. */
  #heard(): "disconnected" | "expired" | undefined {
    return this.#notice === "notified" ? undefined : this.#notice;
  }

  /** A method, not a field's value: it changes while an operation is awaited. */
  get #believing(): boolean {
    return this.#belief !== undefined;
  }

  #believe(belief: Belief): void {
    this.#belief = belief;
    this.#worker.world.record(leadershipDraft({ f: "lead", process: this.#session.process, ...belief }));
  }

  #stopBelieving(reason: StepReason): void {
    const belief = this.#belief;
    if (belief === undefined) return;
    this.#belief = undefined;
    this.#worker.world.record(
      leadershipDraft({ f: "step", process: this.#session.process, ...belief, reason }),
    );
  }
}
