import {
  disabled,
  each,
  FiniteSet,
  mention,
  table,
  vocabulary,
  type Action,
  type Client,
  type Now,
  type PerClient,
} from "../../specification/index.ts";
import type { RecipeEvent } from "../decisions.ts";
import { isRead, type RecipeAnswer, type RecipeRequest, type RecipeWatchEvent } from "./requests.ts";
import {
  initialService,
  tagOf,
  type Players,
  type ServiceBounds,
  type ServiceKind,
  type ServiceState,
} from "./service.ts";
import { apply, endOfSession, prepare, prepareMulti, read, type Transaction, type Tree } from "./tree.ts";
import { miss, setWatches, trigger, unheard, watchOf, type Watch } from "./watches.ts";

type Opaque = string & { readonly opaque: never };

/** The service without its reductions: servers apply by themselves, sessions are numbered, every loss takes its time. */
interface PlainState extends ServiceState<Opaque> {
  /** Of the client's present session. */
  number: PerClient<number>;
}

/**
 * The plain twin of the service: whatever it says of a recipe within some bounds, the service has to say, too. Its
 * states are many more.
 */
export const plainService: ServiceKind = {
  initial: (tree, players) => {
    // Every znode has a czxid, and its place by it.
    const numbered: Tree = { ...tree, zxid: 0 };
    const state = { ...initialService(numbered, players), number: table(players.all, () => 1) };
    return state as ReturnType<typeof initialService> as never;
  },
  actions: (players, bounds) => actions(players as unknown as Players<Opaque>, bounds) as never,
};

function actions(players: Players<Opaque>, bounds: ServiceBounds): Action<PlainState>[] {
  const { action } = vocabulary<PlainState>();
  const { all, begins } = players;

  const tell = (next: PlainState, client: Client, event: RecipeEvent): void => {
    const { state, request } = players.decisions(client).decide(next.client[client], event);
    next.client[client] = state;
    next.request[client] = request;
  };
  const applyNext = (next: PlainState, client: Client): void => {
    const [transaction, ...later] = next.backlog[client];
    if (transaction === undefined) return;
    const { events, left } = trigger(next.watches[client], transaction);
    next.replica[client] = apply(next.replica[client], transaction);
    next.watches[client] = left;
    next.events[client] = [...next.events[client], ...events];
    next.backlog[client] = later;
  };
  const catchUp = (next: PlainState, client: Client, behind: number): void => {
    while (next.backlog[client].length > behind) applyNext(next, client);
  };
  const commit = (next: PlainState, transaction: Transaction): void => {
    if (transaction.length === 0) return;
    next.tree = apply(next.tree, transaction);
    for (const client of all.members) {
      if (next.link[client] === "lost") {
        next.watches[client] = miss(next.watches[client], transaction);
      } else {
        next.backlog[client] = [...next.backlog[client], transaction];
        catchUp(next, client, bounds.lag);
      }
    }
  };
  const sessionOf = (now: Now<PlainState>, client: Client): string =>
    `${mention(client)}/${now.number[client]}`;
  const perform = (next: PlainState, client: Client, request: RecipeRequest): RecipeAnswer => {
    if (isRead(request)) {
      if (request.sync) catchUp(next, client, 0);
      const watch = watchOf(request, next.replica[client]);
      if (watch !== undefined) next.watches[client] = next.watches[client].with(watch);
      return read(next.replica[client], request);
    }
    const session = sessionOf(next as Now<PlainState>, client);
    const { transaction, answer } =
      request.op === "multi"
        ? prepareMulti(next.tree, request.operations, session)
        : prepare(next.tree, request, session);
    commit(next, transaction);
    catchUp(next, client, 0);
    return answer;
  };
  const disconnect = (next: PlainState, client: Client): void => {
    next.losses++;
    next.watches[client] = next.backlog[client].reduce(
      miss,
      unheard(next.watches[client], next.events[client]),
    );
    next.events[client] = [];
    next.backlog[client] = [];
    next.link[client] = "lost";
    tell(next, client, { type: "disconnected" });
  };
  const requestOf = (now: Now<PlainState>, client: Client): RecipeRequest | undefined => {
    const isServed = now.link[client] === "connected" && now.session[client] === "alive";
    return (isServed ? (now.request[client] as RecipeRequest | null) : null) ?? undefined;
  };

  return [
    action(
      "Command",
      (now) =>
        all.members.flatMap((client) =>
          now.request[client] !== null
            ? []
            : players
                .decisions(client)
                .commands(now.client[client])
                .filter((command) => !begins.commands.includes(command) || now.begun[client] < begins.times)
                .map((command): [Client, string] => [client, command]),
        ),
      (_, next, client: Client, command: string) => {
        if (begins.commands.includes(command)) next.begun[client]++;
        tell(next, client, { type: "command", command, tag: tagOf(client, next.begun[client]) });
      },
    ),
    action("Answer", each(all), (now, next, client) => {
      const request = requestOf(now, client);
      if (request === undefined) return disabled;
      tell(next, client, { type: "answer", request, answer: perform(next, client, request) });
    }),
    action("Notify", each(all), (now, next, client) => {
      const [event, ...later] = now.events[client] as readonly RecipeWatchEvent[];
      if (event === undefined || now.request[client] !== null || now.link[client] === "lost") return disabled;
      next.events[client] = later;
      tell(next, client, { type: "event", event });
    }),
    action("Apply", each(all), (now, next, client) => {
      if (now.backlog[client].length === 0) return disabled;
      applyNext(next, client);
    }),
    action(
      "LoseRequest",
      each(all),
      (now, next, client) => {
        if (now.losses >= bounds.losses || now.link[client] === "lost") return disabled;
        disconnect(next, client);
      },
      { fault: true },
    ),
    action(
      "LoseReply",
      each(all),
      (now, next, client) => {
        const request = requestOf(now, client);
        if (now.losses >= bounds.losses || request === undefined || isRead(request)) return disabled;
        perform(next, client, request);
        disconnect(next, client);
      },
      { fault: true },
    ),
    action("Reconnect", each(all), (now, next, client) => {
      if (now.link[client] === "connected" || now.session[client] === "expired") return disabled;
      const { events, left } = setWatches(next.watches[client], next.tree);
      next.watches[client] = left;
      next.events[client] = events;
      next.link[client] = "connected";
      next.replica[client] = next.tree;
    }),
    action(
      "Expire",
      each(all),
      (now, next, client) => {
        if (now.expiries >= bounds.expiries || now.session[client] === "expired") return disabled;
        next.expiries++;
        next.session[client] = "expired";
        next.watches[client] = new FiniteSet<Watch>();
        commit(next, endOfSession(now.tree as Tree, sessionOf(now, client)));
      },
      { fault: true },
    ),
    action("LearnExpiry", each(all), (now, next, client) => {
      if (now.session[client] === "alive") return disabled;
      next.session[client] = "alive";
      next.number[client]++;
      next.watches[client] = new FiniteSet<Watch>();
      next.events[client] = [];
      if (now.link[client] === "lost") {
        next.link[client] = "connected";
        next.replica[client] = next.tree;
      }
      tell(next, client, { type: "expired" });
    }),
  ];
}
