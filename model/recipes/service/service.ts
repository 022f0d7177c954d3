import {
  clients as clientSet,
  each,
  FiniteSet,
  nameOf,
  table,
  vocabulary,
  disabled,
  type Action,
  type Client,
  type IdentitySet,
  type Now,
  type PerClient,
  type Value,
} from "../../specification/index.ts";
import {
  apply,
  endOfSession,
  find,
  prepare,
  prepareMulti,
  read,
  type Answer,
  type ReadRequest,
  type Request,
  type Transaction,
  type Tree,
} from "./tree.ts";
import { setWatches, trigger, watchOf, type Watch, type WatchEvent } from "./watches.ts";

/**
 * ZooKeeper as a client program meets it: sessions that expire unnoticed, requests lost before or after they take
 * effect, servers that lag, watch events in order and late, one-shot watches that are set again after a disconnection.
 *
 * A client has at most one request in flight; a stall between any two of its steps is an interleaving in which others
 * act meanwhile. Time does not exist: whatever may happen after a timeout may happen at any time, within budgets.
 *
 * Differs from ZooKeeper: a reply reaches its client in the step in which the server gives it. What a client does
 * next is again a request in flight, which may take effect arbitrarily late, so nothing but the moment at which it
 * learns of the reply is lost; whatever is pending in `events` stays pending and is handled later, as a client does
 * whose notifications wait for its own thread. A client that connects again finds a server that is up to date.
 */
export interface ServiceState {
  /** What is committed. */
  tree: Tree;
  /** What each client's server has applied (while disconnected: what the client saw last), and what it has yet to apply. */
  replica: PerClient<Tree>;
  backlog: PerClient<readonly Transaction[]>;
  watches: PerClient<FiniteSet<Watch>>;
  /** On their way to the client, or waiting for it to have time; lost on their way while it is disconnected. */
  events: PerClient<readonly WatchEvent[]>;
  session: PerClient<Session>;
  link: PerClient<"connected" | "lost">;
  request: PerClient<Request | null>;
  expiries: number;
  losses: number;
}

/** A session's number counts the sessions of its client; a dead one has expired and its client does not know. */
export type Session = { readonly number: number; readonly alive: boolean };

/** What a client program learns. */
export type Input =
  | { readonly type: "choice"; readonly choice: string }
  | { readonly type: "answer"; readonly request: Request; readonly answer: Answer }
  | { readonly type: "event"; readonly event: WatchEvent }
  /** The connection is gone; a request in flight may or may not have taken effect. */
  | { readonly type: "disconnected" }
  | { readonly type: "expired" };

/** The program's next state and the request that it sends, if any. */
export type Reaction<S> = { readonly state: S; readonly request: Request | null };

/** A client program: pure decisions, one request at a time. */
export interface Program<S extends Value> {
  readonly start: (client: Client) => S;
  /** What it may begin by itself in this state, when nothing is in flight. */
  readonly choices: (state: S, client: Client) => readonly string[];
  readonly react: (state: S, input: Input, client: Client) => Reaction<S>;
}

/** A service with the state of one program for each client. */
export interface ProgramState<S extends Value> extends ServiceState {
  client: PerClient<S>;
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

/** Names of clients stand in paths and session names, so they are not symmetric. */
export function clientsOf(bounds: ServiceBounds): IdentitySet<Client> {
  return clientSet(bounds.clients, { symmetric: false });
}

export function initialService(tree: Tree, all: IdentitySet<Client>): ServiceState {
  return {
    tree,
    replica: table(all, () => tree),
    backlog: table(all, () => []),
    watches: table(all, () => new FiniteSet<Watch>()),
    events: table(all, () => []),
    session: table(all, () => ({ number: 1, alive: true })),
    link: table(all, () => "connected" as const),
    request: table(all, () => null),
    expiries: 0,
    losses: 0,
  };
}

/** The name of a client's session, as it stands in `owner`: "c1/1". */
export function sessionName(client: Client, session: Session): string {
  return `${nameOf(client)}/${session.number}`;
}

type Opaque = string & { readonly opaque: never };

/** The actions of the service and of one program at each client. */
export function serviceActions<S extends Value>(
  program: Program<S>,
  all: IdentitySet<Client>,
  bounds: ServiceBounds,
): Action<ProgramState<S>>[] {
  // The program's state is opaque here.
  type State = ProgramState<Opaque>;
  const { action } = vocabulary<State>();
  const { react, choices } = program as unknown as Program<Opaque>;

  const tell = (now: Now<State>, next: State, client: Client, input: Input): void => {
    const reaction = react(now.client[client], input, client);
    next.client[client] = reaction.state;
    next.request[client] = reaction.request;
  };

  const applyAt = (next: State, client: Client, transactions: readonly Transaction[]): void => {
    for (const transaction of transactions) {
      const { events, left } = trigger(next.watches[client], transaction);
      next.replica[client] = apply(next.replica[client], transaction);
      if (events.length === 0) continue;
      next.watches[client] = left;
      next.events[client] = [...next.events[client], ...events];
    }
  };

  const catchUp = (next: State, client: Client): void => {
    if (next.backlog[client].length === 0) return;
    applyAt(next, client, next.backlog[client]);
    next.backlog[client] = [];
  };

  /** Commits, and gives it to every server. The writer's own server has applied it when it answers. */
  const commit = (next: State, transaction: Transaction, writer: Client | undefined): void => {
    if (transaction.length > 0) {
      next.tree = apply(next.tree, transaction);
      for (const client of all.members) {
        if (next.link[client] === "lost") continue;
        const backlog = [...next.backlog[client], transaction];
        const due = client === writer ? backlog.length : Math.max(0, backlog.length - bounds.lag);
        applyAt(next, client, backlog.slice(0, due));
        next.backlog[client] = backlog.slice(due);
      }
    }
    if (writer !== undefined && next.link[writer] === "connected") catchUp(next, writer);
  };

  /** Lets a request take effect, and gives its answer. */
  const perform = (now: Now<State>, next: State, client: Client, request: Request): Answer => {
    if (isRead(request)) {
      if (request.sync) catchUp(next, client);
      const watch = watchOf(request, next.replica[client]);
      if (watch !== undefined) next.watches[client] = next.watches[client].with(watch);
      return read(next.replica[client], request);
    }
    const session = sessionName(client, now.session[client]);
    const { transaction, answer } =
      request.op === "multi"
        ? prepareMulti(now.tree, request.operations, session)
        : prepare(now.tree, request, session);
    commit(next, transaction, client);
    return answer;
  };

  const disconnect = (now: Now<State>, next: State, client: Client): void => {
    next.losses = now.losses + 1;
    next.link[client] = "lost";
    next.backlog[client] = [];
    tell(now, next, client, { type: "disconnected" });
  };

  const able = each(all);

  return [
    action(
      "Choose",
      (now) =>
        all.members.flatMap((client) =>
          now.request[client] === null
            ? choices(now.client[client], client).map((choice): [Client, string] => [client, choice])
            : [],
        ),
      (now, next, client: Client, choice: string) => tell(now, next, client, { type: "choice", choice }),
    ),
    action("Answer", able, (now, next, client) => {
      const request = now.request[client] as Request | null;
      if (request === null || now.link[client] === "lost" || !now.session[client].alive) return disabled;
      const answer = perform(now, next, client, request);
      tell(now, next, client, { type: "answer", request, answer });
    }),
    action("Notify", able, (now, next, client) => {
      const [event, ...later] = now.events[client];
      if (event === undefined || now.request[client] !== null || now.link[client] === "lost") return disabled;
      next.events[client] = later;
      tell(now, next, client, { type: "event", event });
    }),
    action("Apply", able, (now, next, client) => {
      const [oldest, ...later] = now.backlog[client] as readonly Transaction[];
      if (oldest === undefined) return disabled;
      applyAt(next, client, [oldest]);
      next.backlog[client] = later;
    }),
    action(
      "LoseRequest",
      able,
      (now, next, client) => {
        if (now.losses >= bounds.losses || now.link[client] === "lost") return disabled;
        disconnect(now, next, client);
      },
      { fault: true },
    ),
    action(
      "LoseReply",
      able,
      (now, next, client) => {
        if (now.losses >= bounds.losses || now.link[client] === "lost") return disabled;
        const request = now.request[client] as Request | null;
        if (request === null || !now.session[client].alive) return disabled;
        // A read has no effect, and a watch whose read was not answered is not the client's.
        if (isRead(request)) return disabled;
        perform(now, next, client, request);
        disconnect(now, next, client);
      },
      { fault: true },
    ),
    action("Reconnect", able, (now, next, client) => {
      if (now.link[client] === "connected" || !now.session[client].alive) return disabled;
      next.link[client] = "connected";
      const seen = now.replica[client];
      const { watches, events: undelivered } = now;
      const { events, left } = setWatches(
        watches[client] as FiniteSet<Watch>,
        undelivered[client],
        seen,
        now.tree,
      );
      next.watches[client] = left;
      next.events[client] = events;
      next.replica[client] = now.tree;
    }),
    action(
      "Expire",
      able,
      (now, next, client) => {
        if (now.expiries >= bounds.expiries || !now.session[client].alive) return disabled;
        next.expiries = now.expiries + 1;
        next.session[client] = { ...now.session[client], alive: false };
        next.watches[client] = new FiniteSet<Watch>();
        commit(next, endOfSession(now.tree, sessionName(client, now.session[client])), undefined);
      },
      { fault: true },
    ),
    action("LearnExpiry", able, (now, next, client) => {
      if (now.session[client].alive) return disabled;
      next.session[client] = { number: now.session[client].number + 1, alive: true };
      if (now.link[client] === "lost") {
        next.link[client] = "connected";
        next.replica[client] = now.tree;
      }
      next.events[client] = [];
      tell(now, next, client, { type: "expired" });
    }),
  ] as unknown as Action<ProgramState<S>>[];
}

function isRead(request: Request): request is ReadRequest {
  return request.op === "exists" || request.op === "getData" || request.op === "getChildren";
}

/** Whether a client holds an ephemeral znode in the committed tree with its present session. */
export function holds(now: Now<ServiceState>, client: Client, path: string): boolean {
  return find(now.tree, path)?.owner === sessionName(client, now.session[client]);
}
