import {
  OperationError,
  type CreateMode,
  type Decisions,
  type RecipeAnswer,
  type RecipeError,
  type RecipeEvent,
  type RecipeRequest,
  type SubRequest,
  type Value,
  type WatchEvent,
  type ZnodeRequest,
  type ZnodeResult,
} from "../model/index.ts";
import type { Performed, Session } from "./session.ts";
import type { Worker } from "./workloads/workload.ts";

/** While nothing happens, the end of the run and of the connection are looked for this often. */
const sliceMs = 20;

/** Requests of one `run`; a client of a broken ensemble must not turn for ever. */
const requestsMax = 10_000;

export interface RecipeClientOptions<State extends Value, Command extends string> {
  /** What the client does on which event: model/recipes. */
  readonly decisions: Decisions<State, Command>;
  /** Told of each decision, at the moment at which it is taken. */
  readonly onDecision?: (state: State, before: State, event: RecipeEvent<Command>) => void;
  /** The worker's number, unless it had a session before: then the process that this one ended with. */
  readonly process?: number;
}

/**
 * One client that runs a recipe's decisions against an ensemble: it sends what they ask for on a session of its own,
 * and tells them what becomes of it, in the order and with the meaning that the models assume (model/recipes/decisions.ts).
 *
 * A request is in flight only within `run`. While none is, the loss of the connection and the end of the session are
 * told to the decisions at once, also while somebody else uses the session or sleeps; watch events, too.
 *
 * @example
 * const client = new RecipeClient(worker, { decisions: lockDecisions("/lock") });
 * client.command("acquire-write", random.hex(16));
 * if (await client.run(({ phase }) => phase === "holding")) client.command("release", "");
 */
export class RecipeClient<State extends Value, Command extends string> {
  readonly session: Session;
  readonly #worker: Worker;
  readonly #options: RecipeClientOptions<State, Command>;
  #state: State;
  #request: RecipeRequest | null = null;
  #isInFlight = false;
  /** The session's end, noticed while a request is in flight. */
  #isExpired = false;
  /** Ends the wait for something to be learnt. */
  #wake: () => void = () => {};
  /** It leaves of its own will: what becomes of its connection then is no news. */
  #isLeaving = false;
  /** Watch events that wait while a request is to be answered. */
  #events: WatchEvent[] = [];

  constructor(worker: Worker, options: RecipeClientOptions<State, Command>) {
    this.#worker = worker;
    this.#options = options;
    this.#state = options.decisions.start;
    this.session = worker.session({
      pausesAtExpiry: true,
      ...(options.process === undefined ? {} : { process: options.process }),
      onWatch: (event) => {
        this.#events.push(event);
        this.#tellEvents();
      },
      onDisconnected: () => {
        // In flight, the outcome of the request tells.
        if (!this.#isInFlight && !this.#isLeaving) this.#learn({ type: "disconnected" });
      },
      onExpired: () => {
        this.#events = [];
        if (this.#isInFlight) this.#isExpired = true;
        else if (!this.#isLeaving) this.#learn({ type: "expired" });
      },
    });
  }

  get state(): State {
    return this.#state;
  }

  /** What its user may command now. */
  get commands(): readonly Command[] {
    return this.#request === null ? this.#options.decisions.commands(this.#state) : [];
  }

  /** Commands what must be among `commands`. The tag has to be new and unique among all clients: a GUID. */
  command(command: Command, tag: string): void {
    if (!this.commands.includes(command))
      throw new RangeError(`${command} in the state ${JSON.stringify(this.#state)}`);
    this.#learn({ type: "command", command, tag });
  }

  /** Goes on until a state is reached. False where the run ends before, or `forMs` are over. */
  async run(
    isReached: (state: State) => boolean,
    forMs: number = Number.POSITIVE_INFINITY,
  ): Promise<boolean> {
    const { world } = this.#worker;
    const untilNs = world.cluster.clock.now() + forMs * 1e6;
    let requests = 0;
    while (!isReached(this.#state)) {
      const isOver = world.stopping || world.cluster.clock.now() >= untilNs;
      if (isOver || requests === requestsMax) return false;
      if (this.#request !== null) {
        requests++;
        await this.#send(this.#request);
      } else {
        // Its watches are set again, and what they missed is told, only once it is connected.
        if (this.session.id !== undefined && this.session.connectedTo === undefined)
          await this.session.connect();
        await this.#newsOr(world.sleep(sliceMs));
      }
    }
    return true;
  }

  /** Until something is learnt, or the time is over. */
  #newsOr(time: Promise<void>): Promise<void> {
    const news = new Promise<void>((resolve) => (this.#wake = resolve));
    return Promise.race([time, news]);
  }

  /** As if its machine died: it knows nothing any more, and its session has to expire. */
  crash(): void {
    this.#isLeaving = true;
    this.session.crash();
    this.#isLeaving = false;
    this.#events = [];
    this.#request = null;
    this.#state = this.#options.decisions.start;
  }

  async close(): Promise<void> {
    this.#request = null;
    this.#isLeaving = true;
    await this.session.close();
  }

  async #send(request: RecipeRequest): Promise<void> {
    this.#isInFlight = true;
    this.#isExpired = false;
    let performed: Performed;
    try {
      performed = await this.session.perform(znodeRequest(request), {
        synced: "sync" in request && request.sync,
      });
    } finally {
      this.#isInFlight = false;
    }
    if (this.#isExpired) return this.#learn({ type: "expired" });
    if (performed.type === "none") return;
    const answer = answerOf(performed);
    if (answer !== undefined) return this.#learn({ type: "answer", request, answer });
    if (performed.type === "fail" && this.session.connectedTo !== undefined)
      throw refused(request, performed.error);
    this.#learn({ type: "disconnected" });
  }

  #learn(event: RecipeEvent<Command>): void {
    const before = this.#state;
    const { state, request } = this.#options.decisions.decide(before, event);
    this.#state = state;
    this.#request = request;
    this.#options.onDecision?.(state, before, event);
    this.#wake();
    this.#tellEvents();
  }

  /** Events are told one by one, as long as no request is to be answered. */
  #tellEvents(): void {
    if (this.#request !== null || this.#isInFlight) return;
    const event = this.#events.shift();
    if (event === undefined) return;
    const { type, path } = event;
    if (isOneShot(type)) this.#learn({ type: "event", event: { type, path } });
    else this.#tellEvents();
  }
}

type OneShot = Extract<RecipeEvent, { type: "event" }>["event"]["type"];

/** Recipes set one-shot watches only, and remove none. */
function isOneShot(type: WatchEvent["type"]): type is OneShot {
  return type !== "DataWatchRemoved" && type !== "ChildWatchRemoved" && type !== "PersistentWatchRemoved";
}

type SubRecipeRequest = Extract<RecipeRequest, { op: "multi" }>["operations"][number];

function znodeRequest(request: RecipeRequest): ZnodeRequest {
  switch (request.op) {
    case "multi":
      return { op: "multi", operations: request.operations.map(subRequest) };
    case "exists":
    case "getData":
    case "getChildren": {
      const { op, path, watch } = request;
      return { op, path, ...(watch ? { watch } : {}) };
    }
    default:
      return subRequest(request);
  }
}

function subRequest(request: SubRecipeRequest): SubRequest {
  if (request.op !== "create") return request;
  const { path, data, ephemeral, sequential } = request;
  const mode: CreateMode = `${ephemeral ? "ephemeral" : "persistent"}${sequential ? "-sequential" : ""}`;
  return { op: "create", path, data, mode };
}

const errors: ReadonlySet<string> = new Set<RecipeError>(["NoNode", "NodeExists", "BadVersion", "NotEmpty"]);

/** The answer that a recipe knows; undefined where there was none, or one that recipes do not reckon with. */
function answerOf(performed: Performed): RecipeAnswer | undefined {
  if (performed.type === "ok") return resultOf(performed.answer.result);
  if (performed.type !== "fail" || !errors.has(performed.error)) return undefined;
  return { error: performed.error as RecipeError };
}

function resultOf({ path = "", data, stat, children = [] }: ZnodeResult): RecipeAnswer {
  return {
    error: null,
    path,
    data: data ?? "",
    version: stat?.version ?? -1,
    czxid: stat?.czxid ?? 0,
    children,
  };
}

function refused(request: RecipeRequest, error: string): OperationError {
  const what = request.op === "multi" ? "a multi" : `${request.op} ${request.path}`;
  return new OperationError(
    "RECIPE",
    `${what} was refused: ${error}`,
    "see the servers' logs in the run's directory",
  );
}
