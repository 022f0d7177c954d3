import { z } from "zod";
import {
  acceptToken,
  candidateDecisions,
  candidatesPath,
  electionRoot,
  formatTokens,
  guardPath,
  leadershipDraft,
  parseTokens,
  type CandidateCommand,
  type CandidateState,
  type RecipeEvent,
  type StepReason,
  type Zxid,
} from "../../model/index.ts";
import { RecipeClient } from "../recipe-client.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
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
 * The predecessor-watch election as client code: join, lead, resign, crash. What to do on which event is decided by the
 * recipe's own pure function, which the model explores, too (model/recipes/leader-election). As in the model, a leader
 * begins to lead by writing its fencing token to what it guards: it appends it to a znode, by a versioned write.
 */
export const leaderElection: Workload<LeaderElectionOptions> = {
  ...titled("leader-election"),
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
    // Candidates of crashed clients may still be about to expire, so their list is no final read.
    await session.perform({ op: "getChildren", path: candidatesPath }, { synced: true });
  },

  checks: workloadChecks["leader-election"],
};

/** A belief that ends is noticed this late at most. */
const sliceMs = 20;

const appendAttemptsMax = 20;

interface Belief {
  readonly candidate: string;
  readonly token: Zxid;
  readonly session: string;
}

type Leading = Extract<CandidateState, { phase: "leading" }>;

/** One client that stands for election, again and again. */
class Candidate {
  readonly #worker: Worker;
  readonly #options: LeaderElectionOptions;
  readonly #client: RecipeClient<CandidateState, CandidateCommand>;
  #belief: Belief | undefined;

  constructor(worker: Worker, options: LeaderElectionOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#client = new RecipeClient(worker, {
      decisions: candidateDecisions(candidatesPath),
      onDecision: ({ phase }, _, event) => {
        if (phase !== "leading") this.#stopBelieving(reasonOf(event));
      },
    });
  }

  /** One candidacy, from joining to being out again. */
  async standOnce(): Promise<void> {
    const { random, world } = this.#worker;
    await world.sleep(random.between(0, this.#options.restMs));
    if (this.#client.commands.includes("join")) this.#client.command("join", random.hex(16));
    while (await this.#client.run(({ phase }) => phase === "leading" || phase === "out")) {
      const { state } = this.#client;
      if (state.phase !== "leading") return;
      await this.#lead(state);
    }
  }

  async close(): Promise<void> {
    this.#stopBelieving("resigned");
    await this.#client.close();
  }

  /** Leads until it resigns, crashes, is deposed, or does not believe any more that it leads. */
  async #lead(leading: Leading): Promise<void> {
    const { random, world } = this.#worker;
    const isAccepted = await this.#append(leading);
    if (this.#client.state !== leading) return;
    if (isAccepted) {
      this.#believe(leading);
      const untilNs = world.cluster.clock.now() + 1e6 * random.between(1, this.#options.leadMs);
      while (this.#believing && !world.stopping && world.cluster.clock.now() < untilNs)
        await world.sleep(sliceMs);
      if (this.#client.state !== leading) return;
      if (!world.stopping && random.chance(this.#options.crash)) {
        this.#stopBelieving("crashed");
        this.#client.crash();
        return;
      }
    }
    this.#client.command("resign", "");
  }

  /** Appends the token to the guarded znode. False when a later leader was there, or it could not be found out. */
  async #append(leading: Leading): Promise<boolean> {
    const { session } = this.#client;
    for (let attempt = 0; attempt < appendAttemptsMax && this.#client.state === leading; attempt++) {
      const read = await session.perform({ op: "getData", path: guardPath });
      if (read.type !== "ok") continue;
      const { data, stat } = read.answer.result;
      const accepted = acceptToken(parseTokens(data ?? null) ?? [], leading.token);
      if (typeof accepted === "string") return accepted === "accepted";
      const version = stat?.version ?? -1;
      const write = await session.perform({
        op: "setData",
        path: guardPath,
        data: formatTokens(accepted),
        version,
      });
      if (write.type === "ok") return true;
    }
    return false;
  }

  /** A method, not a field's value: it changes while an operation is awaited. */
  get #believing(): boolean {
    return this.#belief !== undefined;
  }

  #believe({ node, token }: Leading): void {
    const { session } = this.#client;
    if (session.id === undefined) return;
    this.#belief = { candidate: `${candidatesPath}/${node}`, token, session: session.id };
    this.#worker.world.record(leadershipDraft({ f: "lead", process: session.process, ...this.#belief }));
  }

  #stopBelieving(reason: StepReason): void {
    const belief = this.#belief;
    if (belief === undefined) return;
    this.#belief = undefined;
    this.#worker.world.record(
      leadershipDraft({ f: "step", process: this.#client.session.process, ...belief, reason }),
    );
  }
}

/** Why a leader leads no longer. */
function reasonOf({ type }: RecipeEvent): StepReason {
  return type === "expired" || type === "disconnected" ? type : "resigned";
}
