import {
  mention,
  nameOf,
  type Client,
  type FiniteSet,
  type Now,
  type Taken,
  type Value,
} from "../../specification/index.ts";
import { answerWords, isRead, requestWords, type RecipeRequest, type RecipeWatchEvent } from "./requests.ts";
import { departed, wokenBy, type ServiceState } from "./service.ts";
import { apply, endOfSession, prepare, prepareMulti, read, type Transaction, type Tree } from "./tree.ts";
import { trigger, type Watch } from "./watches.ts";

type State = Now<ServiceState>;

/** A step of the service in the words of the client API: what is called, what it answers, what the client does then. */
export function serviceWords(before: State, after: State, { action, parameters }: Taken): string | undefined {
  const client = parameters[0] as Client;
  const what = happening(before, after, action, client, parameters[1]);
  if (what === undefined) return undefined;
  const woken = [...new Set(departed(before, after).flatMap((path) => wokenBy(before, path)))];
  const others = woken.filter((other) => other !== client).map(nameOf);
  const wakes = others.length === 0 ? "" : `; that wakes ${others.join(", ")}`;
  return `${nameOf(client)}: ${what}${sequel(before, after, action, client)}${wakes}`;
}

function happening(
  before: State,
  after: State,
  action: string,
  client: Client,
  parameter: Value | undefined,
): string | undefined {
  const request = before.request[client] as RecipeRequest | null;
  switch (action) {
    case "Command":
      return String(parameter);
    case "Answer":
      return request === null
        ? undefined
        : `${requestWords(request)} = ${answered(before, client, request, Number(parameter))}`;
    case "Notify":
      return `is told of ${eventWords(eventTold(before, after, client))}`;
    case "Apply":
      return "its server applies a transaction";
    case "LoseRequest":
      return request === null
        ? "loses its connection"
        : `${requestWords(request)} is lost with the connection`;
    case "LoseReply":
      return request === null
        ? undefined
        : `${requestWords(request)} takes effect, its reply is lost with the connection`;
    case "Reconnect": {
      const events = (after.events[client] as readonly RecipeWatchEvent[]).map(eventWords);
      return `connects again${events.length === 0 ? "" : `, where its watches tell ${events.join(", ")}`}`;
    }
    case "Expire": {
      const session = endOfSession(before.tree as Tree, mention(client));
      const paths = session.flatMap((change) =>
        change.op === "delete" ? [JSON.stringify(change.path)] : [],
      );
      const removed = paths.length === 0 ? "" : `, and with it ${paths.join(", ")}`;
      return `the session expires${removed}; it ${after.session[client] === "expired" ? "does not know" : "learns of it"}`;
    }
    case "LearnExpiry":
      return "learns that its session has expired";
    default:
      return undefined;
  }
}

function answered(before: State, client: Client, request: RecipeRequest, applied: number): string {
  const backlog = before.backlog[client] as readonly Transaction[];
  if (isRead(request)) {
    const seen = backlog.slice(0, request.sync ? backlog.length : applied);
    const tree = seen.reduce(apply, before.replica[client] as Tree);
    const behind = backlog.length - seen.length;
    const stale = behind === 0 ? "" : `, from a server that is ${behind} behind`;
    return `${answerWords(request, read(tree, request))}${stale}`;
  }
  const tree = before.tree as Tree;
  const { answer } =
    request.op === "multi"
      ? prepareMulti(tree, request.operations, mention(client))
      : prepare(tree, request, mention(client));
  return answerWords(request, answer);
}

/** The event that a notification delivers: the first that waits, else the one that its server's next transaction raises. */
function eventTold(before: State, after: State, client: Client): RecipeWatchEvent | undefined {
  const [first] = before.events[client] as readonly RecipeWatchEvent[];
  if (first !== undefined) return first;
  const backlog = before.backlog[client] as readonly Transaction[];
  const applied = backlog.slice(0, backlog.length - after.backlog[client].length);
  return eventsOf(before, client, applied)[0];
}

function eventsOf(
  before: State,
  client: Client,
  applied: readonly Transaction[],
): readonly RecipeWatchEvent[] {
  return applied.flatMap(
    (transaction) => trigger(before.watches[client] as FiniteSet<Watch>, transaction).events,
  );
}

function eventWords(event: RecipeWatchEvent | undefined): string {
  return event === undefined ? "something" : `${event.type} ${JSON.stringify(event.path)}`;
}

/** What the client does next: what it sends, or what it has become. */
function sequel(before: State, after: State, action: string, client: Client): string {
  const old = before.request[client] as RecipeRequest | null;
  const sent = after.request[client] as RecipeRequest | null;
  const isAnswered = action === "Answer" || action === "LoseRequest" || action === "LoseReply";
  if (sent !== null && (isAnswered || old === null || requestWords(old) !== requestWords(sent)))
    return `; it sends ${requestWords(sent)}`;
  const [was, is] = [phaseOf(before, client), phaseOf(after, client)];
  return was === is || is === undefined ? "" : `; it is ${is}`;
}

function phaseOf(state: State, client: Client): string | undefined {
  const phase = (state.client[client] as { readonly phase?: unknown } | null)?.phase;
  return typeof phase === "string" ? phase : undefined;
}
