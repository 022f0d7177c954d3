import { z } from "zod";
import {
  memberDecisions,
  membersDecisions,
  membershipMistakes,
  type MemberCommand,
  type MembersState,
  type MemberState,
  type RecipeEvent,
} from "../../model/index.ts";
import { ClientOperations } from "../client-operations.ts";
import { RecipeClient } from "../recipe-client.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, milliseconds, mistake, probability } from "./options.ts";
import { groupPath, root } from "./paths.ts";
import { make } from "./setup.ts";
import { shared } from "./shared.ts";
import type { Settle, Worker, Workload } from "./workload.ts";

export interface MembershipOptions {
  /** Clients that keep the list; all others are members. */
  readonly consumers: number;
  /** How long a member stays, and how long it stays away: up to this many ms. */
  readonly stayMs: number;
  readonly awayMs: number;
  /** How often a member crashes instead of leaving. */
  readonly crash: number;
  readonly mistake: string;
}

/**
 * Group membership: members come and go, consumers keep the list. In the end members stay as they are until every
 * consumer has found that its list is right; they wait for that until every session that is over has expired.
 */
export const membership: Workload<MembershipOptions> = {
  ...titled("membership"),
  options: z.strictObject({
    consumers: count(2, 1, 1000),
    stayMs: milliseconds(100),
    awayMs: milliseconds(100),
    crash: probability(0.02),
    mistake: mistake("watch-after-read", "persistent-members"),
  }),

  async setup(session) {
    for (const path of [root, groupPath]) await make(session, path, "");
  },

  async work(worker, options) {
    const behind = shared(worker.world, "consumers behind", () => new Set<number>());
    if (worker.number < options.consumers) return consume(worker, options, behind);
    const member = new Member(worker, options);
    while (await worker.pace()) await member.comeAndGo();
    return () => member.settle(() => behind.size > 0);
  },

  async read(session) {
    await session.perform({ op: "getChildren", path: groupPath }, { synced: true });
  },

  checks: workloadChecks.membership,
};

/** So many session timeouts later, sessions that were over have expired. */
const expiredAfter = 2;

/** One client that comes and goes; after a crash it comes back under another name. */
class Member {
  readonly #worker: Worker;
  readonly #options: MembershipOptions;
  readonly #operations: ClientOperations;
  #lives = 0;
  #name: string;
  #client: RecipeClient<MemberState, MemberCommand>;

  constructor(worker: Worker, options: MembershipOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#operations = new ClientOperations(worker);
    this.#name = this.#nextName();
    this.#client = this.#begin(worker.number);
  }

  async comeAndGo(): Promise<void> {
    const { random, world } = this.#worker;
    await world.sleep(random.between(0, this.#options.awayMs));
    if (this.#client.commands.includes("join")) this.#client.command("join", "");
    if (!(await this.#untilSettled()) || this.#client.state.phase !== "member") return;
    await world.sleep(random.between(0, this.#options.stayMs));
    if (world.stopping || this.#client.state.phase !== "member") return;
    if (random.chance(this.#options.crash)) {
      this.#operations.tell("gone", this.#name);
      this.#client.crash();
      this.#name = this.#nextName();
      this.#client = this.#begin(this.#client.session.process);
      return;
    }
    this.#client.command("leave", "");
    await this.#untilSettled();
  }

  /** Stays as it is as long as somebody is behind. */
  async settle(isSomebodyBehind: () => boolean): Promise<void> {
    await this.#untilSettled();
    while (isSomebodyBehind() && !this.#worker.world.stopping) await this.#client.run(() => false, 100);
    this.#operations.tell("gone", this.#name);
    await this.#client.close();
  }

  #untilSettled(): Promise<boolean> {
    return this.#client.run(({ phase }) => phase === "member" || phase === "outside");
  }

  #nextName(): string {
    return `${this.#worker.number}.${this.#lives++}`;
  }

  #begin(process: number): RecipeClient<MemberState, MemberCommand> {
    const client = new RecipeClient<MemberState, MemberCommand>(this.#worker, {
      decisions: memberDecisions(groupPath, this.#name, this.#options.mistake !== "persistent-members"),
      onDecision: (state, before, event) => this.#note(client.session.id, state, before, event),
      process,
    });
    return client;
  }

  #note(session: string | undefined, state: MemberState, before: MemberState, event: RecipeEvent): void {
    if (state.phase === before.phase) return;
    const operations = this.#operations;
    if (state.phase === "joining") operations.invoke("join", this.#name);
    else if (state.phase === "leaving") operations.invoke("leave", this.#name);
    else if (event.type === "answer") operations.ok(session);
    else {
      if (operations.open !== undefined) operations.info("the session expired");
      operations.tell("gone", this.#name);
    }
  }
}

/** One client that keeps the list of members. */
async function consume(worker: Worker, options: MembershipOptions, behind: Set<number>): Promise<Settle> {
  const operations = new ClientOperations(worker);
  const recipe = membersDecisions(groupPath);
  let isCatchingUp = false;
  const client = new RecipeClient(worker, {
    decisions: options.mistake === "watch-after-read" ? membershipMistakes.watchesLate(recipe) : recipe,
    onDecision: (state: MembersState) => {
      if (isCatchingUp) return;
      if (state.phase === "reading" && operations.open === undefined) operations.invoke("members");
      if (state.phase === "settled" && operations.open !== undefined)
        operations.ok(client.session.id, state.members);
    },
  });
  client.command("read", "");
  while (!worker.world.stopping) await client.run(() => false);
  behind.add(worker.number);
  return async () => {
    const { world } = worker;
    await client.run(() => false, expiredAfter * world.options.sessionTimeoutMs);
    await client.run(({ phase }) => phase === "settled");
    if (operations.open !== undefined) operations.info("time is up");
    isCatchingUp = true;
    operations.invoke("catch-up");
    while (!world.stopping && !(await isRight(client))) await client.run(() => false, 100);
    const { state } = client;
    if (!world.stopping && state.phase === "settled") operations.ok(client.session.id, state.members);
    behind.delete(worker.number);
    await client.close();
  };
}

/** Whether what a consumer has is what a synced read shows. */
async function isRight(client: RecipeClient<MembersState, "read">): Promise<boolean> {
  if (client.state.phase !== "settled") return false;
  const read = await client.session.perform({ op: "getChildren", path: groupPath }, { synced: true });
  const { state } = client;
  if (read.type !== "ok" || state.phase !== "settled") return false;
  return (read.answer.result.children ?? []).toSorted().join(" ") === state.members.toSorted().join(" ");
}
