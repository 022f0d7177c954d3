import { z } from "zod";
import {
  barrierMistakes,
  participantDecisions,
  type ParticipantCommand,
  type ParticipantDecisions,
  type ParticipantState,
  type RecipeEvent,
} from "../../model/index.ts";
import { ClientOperations } from "../client-operations.ts";
import { RecipeClient } from "../recipe-client.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, milliseconds, mistake, probability } from "./options.ts";
import { barrierPrefix, root } from "./paths.ts";
import { make } from "./setup.ts";
import { shared } from "./shared.ts";
import type { Worker, Workload } from "./workload.ts";

export interface DoubleBarrierOptions {
  /** Groups of clients, each of which meets at barriers of its own. */
  readonly keys: number;
  /** How long a participant works between entering and leaving: up to this many ms. */
  readonly workMs: number;
  /** How often one crashes while it works. */
  readonly crash: number;
  readonly mistake: string;
}

const mistakes: { readonly [name: string]: (recipe: ParticipantDecisions) => ParticipantDecisions } = {
  "leaves-early": barrierMistakes.leavesEarly,
  "enters-early": barrierMistakes.entersEarly,
  "watches-nothing": barrierMistakes.watchesNothing,
  "joins-too-late": barrierMistakes.joinsTooLate,
  "works-on": barrierMistakes.worksOn,
};

/**
 * Double barriers, one after the other: all clients of a group enter, work, and leave. Who loses its session while others
 * have begun, or crashes while it works, goes on with the next barrier; the others do not wait for it.
 */
export const doubleBarrier: Workload<DoubleBarrierOptions> = {
  ...titled("double-barrier"),
  options: z.strictObject({
    keys: count(2, 1, 1000),
    workMs: milliseconds(30),
    crash: probability(0.01),
    mistake: mistake(...Object.keys(mistakes)),
  }),

  async setup(session) {
    await make(session, root, "");
  },

  async work(worker, options) {
    const { workers } = worker.world.options;
    const group = worker.number % options.keys;
    const size = Math.floor((workers - 1 - group) / options.keys) + 1;
    const rounds = shared(worker.world, `rounds ${group}`, () => new Map<number, number>());
    const participant = new Participant(worker, options, { name: `${barrierPrefix}${group}`, size, rounds });
    while (await worker.pace()) await participant.meet();
    return () => participant.settle();
  },

  async read(session, _server, { keys }) {
    for (let key = 0; key < keys; key++)
      await session.perform(
        { op: "exists", path: `${barrierPrefix}${key}-0` },
        { synced: true, final: true },
      );
  },

  checks: workloadChecks["double-barrier"],
};

interface Group {
  /** Its barriers' paths begin so. */
  readonly name: string;
  readonly size: number;
  /** The barrier at which each of its workers is. Nobody goes on between the end of the work and the beginning of settling. */
  readonly rounds: Map<number, number>;
}

const isAtRest = ({ phase }: ParticipantState): boolean => phase === "working" || isOver({ phase });

function isOver({ phase }: Pick<ParticipantState, "phase">): boolean {
  return phase === "done" || phase === "expelled";
}

/** One client that goes from barrier to barrier. */
class Participant {
  readonly #worker: Worker;
  readonly #options: DoubleBarrierOptions;
  readonly #group: Group;
  readonly #operations: ClientOperations;
  #client: RecipeClient<ParticipantState, ParticipantCommand> | undefined;
  #round = 0;
  #process: number;

  constructor(worker: Worker, options: DoubleBarrierOptions, group: Group) {
    this.#worker = worker;
    this.#options = options;
    this.#group = group;
    this.#operations = new ClientOperations(worker);
    this.#process = worker.number;
    group.rounds.set(worker.number, 0);
  }

  /** Goes on at the barrier at which it is, to the next where it is through. */
  async meet(crash: number = this.#options.crash): Promise<void> {
    const { random, world } = this.#worker;
    const client = (this.#client ??= this.#begin());
    if (client.state.phase === "outside") {
      if (!(await this.#makeBarrier(client))) return;
      client.command("enter", "");
    }
    while (await client.run(isAtRest)) {
      if (isOver(client.state)) break;
      await world.sleep(random.between(0, this.#options.workMs));
      if (client.state.phase !== "working") continue;
      if (!world.stopping && random.chance(crash)) {
        this.#operations.tell("lost", this.#path);
        client.crash();
        return this.#next(client);
      }
      client.command("leave", "");
    }
    if (!isOver(client.state)) return;
    await client.close();
    this.#next(client);
  }

  /** Goes on until every one of its group is through the last barrier that one of them has come to, and one more. */
  async settle(): Promise<void> {
    const last = Math.max(...this.#group.rounds.values()) + 1;
    while (this.#round <= last && !this.#worker.world.stopping) await this.meet(0);
    await this.#client?.close();
  }

  get #path(): string {
    return `${this.#group.name}-${this.#round}`;
  }

  /** The next barrier, with a session of its own. */
  #next(client: RecipeClient<ParticipantState, ParticipantCommand>): void {
    this.#process = client.session.process;
    this.#client = undefined;
    this.#group.rounds.set(this.#worker.number, ++this.#round);
  }

  /** Whoever comes first makes the barrier. False where the run ends before. */
  async #makeBarrier({ session }: RecipeClient<ParticipantState, ParticipantCommand>): Promise<boolean> {
    while (!this.#worker.world.stopping) {
      const made = await session.perform({ op: "create", path: this.#path, data: "", mode: "persistent" });
      if (made.type === "ok" || (made.type === "fail" && made.error === "NodeExists")) return true;
    }
    return false;
  }

  #begin(): RecipeClient<ParticipantState, ParticipantCommand> {
    const recipe = participantDecisions(this.#path, `${this.#worker.number}`, this.#group.size);
    const client = new RecipeClient<ParticipantState, ParticipantCommand>(this.#worker, {
      decisions: mistakes[this.#options.mistake]?.(recipe) ?? recipe,
      onDecision: (state, before, event) => this.#note(client.session.id, state, before, event),
      process: this.#process,
    });
    return client;
  }

  #note(
    session: string | undefined,
    state: ParticipantState,
    before: ParticipantState,
    event: RecipeEvent,
  ): void {
    const operations = this.#operations;
    if (event.type === "command" && event.command === "enter")
      return operations.invoke("enter", { barrier: this.#path, size: this.#group.size });
    if (event.type === "command" && event.command === "leave")
      return operations.invoke("leave", this.#path, session);
    if (state.phase === before.phase) return;
    if (state.phase === "working" && operations.open === "enter") operations.ok(session);
    else if (state.phase === "done" && operations.open === "leave") operations.ok(session);
    else if (state.phase === "expelled" && operations.open !== undefined)
      operations.info("the session expired");
    else if (before.phase === "working") operations.tell("lost", this.#path);
  }
}
