import {
  clients as clientSet,
  disabled,
  each,
  FiniteSet,
  mention,
  table,
  vocabulary,
  type Action,
  type Client,
  type IdentitySet,
  type Now,
  type PerClient,
  type Value,
} from "../../specification/index.ts";
import { parentPath } from "../../sequential/index.ts";
import type { Decisions, RecipeEvent } from "../decisions.ts";
import { isRead, type RecipeAnswer, type RecipeRequest, type RecipeWatchEvent } from "./requests.ts";
import {
  apply,
  endOfSession,
  find,
  prepare,
  prepareMulti,
  read,
  type Transaction,
  type Tree,
} from "./tree.ts";
import { miss, setWatches, trigger, unheard, watchOf, type Watch } from "./watches.ts";

/**
 * ZooKeeper as a client program meets it: sessions that expire unnoticed, requests lost before or after they take
 * effect, servers that lag, watch events in order and late, one-shot watches that are set again after a disconnection.
 *
 * A client has at most one request in flight; a stall between any two of its steps is an interleaving in which others
 * act meanwhile. Time does not exist: whatever may happen after a timeout may happen at any time, within budgets.
 *
 * Differs from ZooKeeper: a client that connects again finds a server that is up to date. A reply reaches its client in
 * the step in which the server gives it: what the client does next is again a request in flight, which may take effect
 * arbitrarily late, so nothing but the moment at which it learns of the reply is lost.
 *
 * FEWER STATES, NO LESS BEHAVIOUR. Each of these is compared with the plain service (plain-service.ts):
 *
 * 1. What a server has applied shows in what its client is told, and in nothing else. So a transaction is applied in
 *    the step that shows it: as many as it likes before an answer, up to the next event before a notification.
 * 2. A session is the client's name alone. Its znodes are gone with it, so that the next session may have the same.
 * 3. A client whose session has expired can do nothing that others notice until it learns of it: its requests are
 *    refused, its watches are gone. Whatever it still does by itself it could have done before the expiry. So it learns
 *    at once, unless it acts on what it believes (`believes`): that is a zombie, and learns in a step of its own.
 * 4. A client without a watch loses nothing with its connection but the answer: it is connected again at once. How long
 *    that takes is a stall like any other.
 * 5. Where nobody looks at a czxid, none is kept (`treeOf`).
 */
export interface ServiceState<S = unknown> {
  /** What is committed. */
  tree: Tree;
  /**
   * What each client has seen of it, and what was committed since, all of which its server may have applied or not. The
   * server that a disconnected client will find is up to date.
   */
  replica: PerClient<Tree>;
  backlog: PerClient<readonly Transaction[]>;
  watches: PerClient<FiniteSet<Watch>>;
  /** On their way to the client, or waiting for it to have time; with the connection they are lost. */
  events: PerClient<readonly RecipeWatchEvent[]>;
  /** An expired one's client does not know of it. */
  session: PerClient<"alive" | "expired">;
  link: PerClient<"connected" | "lost">;
  request: PerClient<RecipeRequest | null>;
  /** What the recipe's client knows. */
  client: PerClient<S>;
  /** How often its user has begun something anew. */
  begun: PerClient<number>;
  expiries: number;
  losses: number;
}

export interface ServiceBounds {
  readonly clients: number;
  /** Sessions that may expire. */
  readonly expiries: number;
  /** Connections that may be lost. */
  readonly losses: number;
  /** Transactions that a server may lag behind. */
  readonly lag: number;
}

/** Who the clients are, and what their users want. */
export interface Players<S extends Value, Command extends string = string> {
  readonly all: IdentitySet<Client>;
  decisions(client: Client): Decisions<S, Command>;
  /** How often each client's user may give one of these commands; others it may give as often as they make sense. */
  readonly begins: { readonly commands: readonly Command[]; readonly times: number };
  /** Whether a client in this state acts on what it believes without asking the service; always, where absent. */
  readonly believes?: (state: S) => boolean;
}

/** A service as recipes are put above it. */
export interface ServiceKind {
  readonly initial: typeof initialService;
  readonly actions: typeof serviceActions;
}

/** Clients of a model. Names of them stand in paths and sessions, as mentions, so that the clients may be symmetric. */
export function clientsOf(bounds: ServiceBounds, symmetric: boolean): IdentitySet<Client> {
  return clientSet(bounds.clients, { symmetric });
}

/** One client that plays a part of its own, and others that are alike. */
export function firstAndOthers(bounds: ServiceBounds): {
  readonly first: Client;
  readonly others: IdentitySet<Client>;
  readonly all: IdentitySet<Client>;
} {
  const all = clientsOf(bounds, false);
  const [first, ...others] = all.members as readonly [Client, ...Client[]];
  return { first, others: { kind: "identities", members: others, symmetric: true }, all };
}

export function initialService<S extends Value>(tree: Tree, players: Players<S>): ServiceState<S> {
  const { all } = players;
  return {
    tree,
    replica: table(all, () => tree),
    backlog: table(all, () => []),
    watches: table(all, () => new FiniteSet<Watch>()),
    events: table(all, () => []),
    session: table(all, () => "alive" as const),
    link: table(all, () => "connected" as const),
    request: table(all, () => null),
    client: table(all, (client) => players.decisions(client).start),
    begun: table(all, () => 0),
    expiries: 0,
    losses: 0,
  };
}

/** What a client's `n`-th command is tagged with: "<c1>.2". */
export function tagOf(client: Client, n: number): string {
  return `${mention(client)}.${n}`;
}

/** The states of programs are opaque to the service. */
type Opaque = string & { readonly opaque: never };
type State = ServiceState<Opaque>;

/** The actions of the service and of the clients' recipe. */
export function serviceActions<S extends Value, Command extends string>(
  players: Players<S, Command>,
  bounds: ServiceBounds,
): Action<ServiceState<S>>[] {
  const service = new Service(players as unknown as Players<Opaque>, bounds);
  return service.actions() as unknown as Action<ServiceState<S>>[];
}

class Service {
  readonly #players: Players<Opaque>;
  readonly #bounds: ServiceBounds;

  constructor(players: Players<Opaque>, bounds: ServiceBounds) {
    this.#players = players;
    this.#bounds = bounds;
  }

  actions(): Action<State>[] {
    const { action } = vocabulary<State>();
    const { all } = this.#players;
    const { expiries, losses } = this.#bounds;
    return [
      action(
        "Command",
        (now) => this.#commands(now),
        (now, next, client: Client, command: string) => {
          const begins = this.#begins(command);
          if (begins) next.begun[client] = now.begun[client] + 1;
          const tag = tagOf(client, next.begun[client]);
          this.#tell(next, client, { type: "command", command, tag });
        },
      ),
      // The server applies so many transactions, and answers.
      action("Answer", this.#answers(), (now, next, client: Client, applied: number) => {
        const request = now.request[client] as RecipeRequest | null;
        if (request === null || !canAnswer(now, client)) return disabled;
        if (applied > (isRead(request) && !request.sync ? now.backlog[client].length : 0)) return disabled;
        this.#catchUp(next, client, applied);
        const answer = this.#perform(next, client, request);
        this.#tell(next, client, { type: "answer", request, answer });
      }),
      action("Notify", each(all), (now, next, client) => {
        if (now.request[client] !== null || now.link[client] === "lost") return disabled;
        while (next.events[client].length === 0) {
          if (next.backlog[client].length === 0) return disabled;
          this.#catchUp(next, client, 1);
        }
        const [event, ...later] = next.events[client];
        next.events[client] = later;
        this.#tell(next, client, { type: "event", event: event as RecipeWatchEvent });
      }),
      action(
        "LoseRequest",
        each(all),
        (now, next, client) => {
          if (now.losses >= losses || now.link[client] === "lost") return disabled;
          this.#disconnect(next, client);
        },
        { fault: true },
      ),
      action(
        "LoseReply",
        each(all),
        (now, next, client) => {
          const request = now.request[client] as RecipeRequest | null;
          if (now.losses >= losses || request === null || !canAnswer(now, client)) return disabled;
          // A read has no effect, and a watch whose read was not answered is not the client's.
          if (isRead(request)) return disabled;
          this.#perform(next, client, request);
          this.#disconnect(next, client);
        },
        { fault: true },
      ),
      action("Reconnect", each(all), (now, next, client) => {
        if (now.link[client] === "connected" || now.session[client] === "expired") return disabled;
        const { events, left } = setWatches(next.watches[client], next.tree);
        next.watches[client] = left;
        next.events[client] = events;
        next.link[client] = "connected";
      }),
      action(
        "Expire",
        each(all),
        (now, next, client) => {
          if (now.expiries >= expiries || now.session[client] === "expired") return disabled;
          next.expiries = now.expiries + 1;
          next.session[client] = "expired";
          next.watches[client] = new FiniteSet<Watch>();
          this.#commit(next, endOfSession(now.tree as Tree, mention(client)), undefined);
          if (!this.#isZombie(next, client)) this.#learnExpiry(next, client);
        },
        { fault: true },
      ),
      action("LearnExpiry", each(all), (now, next, client) => {
        if (now.session[client] === "alive") return disabled;
        this.#learnExpiry(next, client);
      }),
    ];
  }

  #begins(command: string): boolean {
    return this.#players.begins.commands.includes(command);
  }

  #commands(now: Now<State>): [Client, string][] {
    const { all, begins } = this.#players;
    return all.members.flatMap((client) => {
      if (now.request[client] !== null) return [];
      const commands = this.#players.decisions(client).commands(now.client[client]);
      return commands
        .filter((command) => !this.#begins(command) || now.begun[client] < begins.times)
        .map((command): [Client, string] => [client, command]);
    });
  }

  #answers(): [Client, number][] {
    return this.#players.all.members.flatMap((client) =>
      Array.from({ length: this.#bounds.lag + 1 }, (_, applied): [Client, number] => [client, applied]),
    );
  }

  #decide(next: State, client: Client, event: RecipeEvent): void {
    const { state, request } = this.#players.decisions(client).decide(next.client[client], event);
    next.client[client] = state;
    next.request[client] = request;
  }

  #tell(next: State, client: Client, event: RecipeEvent): void {
    this.#decide(next, client, event);
    if (next.session[client] === "expired" && !this.#isZombie(next, client)) this.#learnExpiry(next, client);
  }

  #isZombie(next: State, client: Client): boolean {
    const { believes } = this.#players;
    return believes === undefined || believes(next.client[client]);
  }

  #learnExpiry(next: State, client: Client): void {
    next.session[client] = "alive";
    next.watches[client] = new FiniteSet<Watch>();
    next.events[client] = [];
    next.link[client] = "connected";
    this.#decide(next, client, { type: "expired" });
  }

  /** What it has not seen it will hear of by its watches; it finds a server that is up to date. */
  #disconnect(next: State, client: Client): void {
    next.losses++;
    const watches = unheard(next.watches[client], next.events[client]);
    next.watches[client] = next.backlog[client].reduce(miss, watches);
    next.link[client] = watches.size > 0 ? "lost" : "connected";
    next.events[client] = [];
    next.backlog[client] = [];
    next.replica[client] = next.tree;
    this.#tell(next, client, { type: "disconnected" });
  }

  /** A client's server applies the oldest of what it has yet to apply. */
  #catchUp(next: State, client: Client, count: number): void {
    if (count === 0) return;
    const backlog = next.backlog[client];
    for (const transaction of backlog.slice(0, count)) {
      const { events, left } = trigger(next.watches[client], transaction);
      next.replica[client] = apply(next.replica[client], transaction);
      if (events.length === 0) continue;
      next.watches[client] = left;
      next.events[client] = [...next.events[client], ...events];
    }
    next.backlog[client] = backlog.slice(count);
  }

  /** Commits, and gives it to every server. The writer's own server has applied it when it answers. */
  #commit(next: State, transaction: Transaction, writer: Client | undefined): void {
    const { all } = this.#players;
    if (transaction.length > 0) {
      next.tree = apply(next.tree, transaction);
      for (const client of all.members) {
        if (next.link[client] === "lost") {
          next.watches[client] = miss(next.watches[client], transaction);
          next.replica[client] = next.tree;
          continue;
        }
        next.backlog[client] = [...next.backlog[client], transaction];
        if (client !== writer)
          this.#catchUp(next, client, Math.max(0, next.backlog[client].length - this.#bounds.lag));
      }
    }
    if (writer !== undefined) this.#catchUp(next, writer, next.backlog[writer].length);
  }

  /** Lets a request take effect, and gives its answer. */
  #perform(next: State, client: Client, request: RecipeRequest): RecipeAnswer {
    if (isRead(request)) {
      if (request.sync) this.#catchUp(next, client, next.backlog[client].length);
      const watch = watchOf(request, next.replica[client]);
      if (watch !== undefined) next.watches[client] = next.watches[client].with(watch);
      return read(next.replica[client], request);
    }
    const { transaction, answer } =
      request.op === "multi"
        ? prepareMulti(next.tree, request.operations, mention(client))
        : prepare(next.tree, request, mention(client));
    this.#commit(next, transaction, client);
    return answer;
  }
}

/** A server answers who is connected and has a session. */
function canAnswer(now: Now<State>, client: Client): boolean {
  return now.link[client] === "connected" && now.session[client] === "alive";
}

/**
 * Whether a client's session lives, and the znode is there: its own, or one that is nobody's. (The plain service puts a
 * session's number behind the client's name.)
 */
export function has(now: Now<ServiceState>, client: Client, path: string): boolean {
  const owner = find(now.tree as Tree, path)?.owner;
  return now.session[client] === "alive" && (owner === "" || owner?.startsWith(mention(client)) === true);
}

/** The znodes that are gone after a step. */
export function departed(before: Now<ServiceState>, after: Now<ServiceState>): readonly string[] {
  if (before.tree === after.tree) return [];
  const stays = (path: string, czxid: number): boolean =>
    after.tree.nodes.some((node) => node.path === path && node.czxid === czxid);
  return before.tree.nodes.filter(({ path, czxid }) => !stays(path, czxid)).map(({ path }) => path);
}

/** The clients that have a watch which the departure of a znode fires. */
export function wokenBy({ watches }: Now<ServiceState>, path: string): readonly Client[] {
  const clients = Object.getOwnPropertySymbols(watches) as unknown as readonly Client[];
  return clients.filter((client) =>
    watches[client].some(({ kind, path: watched }) =>
      kind === "children"
        ? watched === path || watched === parentPath(path)
        : kind === "data" && watched === path,
    ),
  );
}
