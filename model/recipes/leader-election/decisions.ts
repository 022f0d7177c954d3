import type { Zxid } from "../../history.ts";

/**
 * What a candidate does on which event: the leader-election recipe as a pure function, shared by the model that
 * is explored and the client that runs against an ensemble.
 *
 * The recipe is ZooKeeper's own ("ZooKeeper Recipes and Solutions", Leader Election; Hunt et al., USENIX ATC 2010,
 * §2.4): an ephemeral sequential znode a candidate, the lowest leads, each watches its predecessor only, and the
 * children are read again on every notification. Around it, what lost replies and expired sessions ask for: a GUID
 * in the znode's name, so that a create whose reply was lost is found again (Curator's protected create), and the
 * znode's czxid as the fencing token.
 *
 * Differs: on a lost connection a leader stops to believe that it leads and asks again, since it cannot tell a
 * short disconnection from the one that costs it its session.
 */

/** What a candidate knows. Znodes are named by their last path element. */
export type CandidateState =
  /** It has no znode, as far as it knows, and wants none. */
  | { readonly phase: "out" }
  | { readonly phase: "creating"; readonly guid: string }
  /** It reads the candidates. `node` is its own, null while it cannot know whether it was created. */
  | { readonly phase: "listing"; readonly guid: string; readonly node: string | null }
  /** It deletes a second znode of its own: one that a create whose reply was lost made after all. */
  | { readonly phase: "clearing"; readonly guid: string; readonly node: string; readonly surplus: string }
  | { readonly phase: "watching"; readonly guid: string; readonly node: string; readonly predecessor: string }
  | { readonly phase: "waiting"; readonly guid: string; readonly node: string; readonly predecessor: string }
  /** It is the lowest, and reads its own Stat for the token. */
  | { readonly phase: "claiming"; readonly guid: string; readonly node: string }
  | { readonly phase: "leading"; readonly guid: string; readonly node: string; readonly token: Zxid }
  | { readonly phase: "leaving"; readonly guid: string; readonly node: string };

/** What the candidate learns. */
export type CandidateEvent =
  /** It is told to stand for election. The GUID is new for each candidacy. */
  | { readonly type: "join"; readonly guid: string }
  | { readonly type: "resign" }
  | { readonly type: "created"; readonly node: string }
  | { readonly type: "children"; readonly nodes: readonly string[] }
  /** The answer to `watch` or `claim`: the znode exists, with its czxid. For `watch` a watch is set on it. */
  | { readonly type: "present"; readonly czxid: Zxid }
  | { readonly type: "absent" }
  /** The watch on the predecessor fired. */
  | { readonly type: "notified" }
  | { readonly type: "deleted" }
  /** A definite failure: the request certainly had no effect. */
  | { readonly type: "refused" }
  /** No answer, or the connection is gone: the last request may or may not have taken effect. */
  | { readonly type: "disconnected" }
  /** The session is over, and with it every ephemeral znode and watch. */
  | { readonly type: "expired" };

/** What the candidate does next, in the words of the client's API. */
export type CandidateStep =
  /** create(prefix + sequence number, ephemeral sequential) */
  | { readonly do: "create"; readonly prefix: string }
  /** getChildren, after a sync where a create may be under way that this server has not yet seen. */
  | { readonly do: "list"; readonly sync: boolean }
  /** exists with a watch */
  | { readonly do: "watch"; readonly node: string }
  | { readonly do: "wait" }
  /** exists, for the Stat of the own znode */
  | { readonly do: "claim"; readonly node: string }
  | { readonly do: "lead"; readonly token: Zxid }
  | { readonly do: "delete"; readonly node: string }
  | { readonly do: "rest" };

export interface Decision {
  readonly state: CandidateState;
  readonly step: CandidateStep;
}

export const outOfElection: CandidateState = { phase: "out" };

/** Between the GUID and the sequence number. */
const infix = "-candidate-";

/** What is asked for to create; the server appends ten digits. */
export function candidatePrefix(guid: string): string {
  return `${guid}${infix}`;
}

/** The sequence number at the end of a candidate's name; undefined where it is no candidate's name. */
export function sequenceOf(node: string): number | undefined {
  const match = /-candidate-(-?\d{10,})$/.exec(node);
  return match === null ? undefined : Number(match[1]);
}

/** Candidates in the order of their sequence numbers; what is no candidate is left out. */
export function inOrder(nodes: readonly string[]): readonly string[] {
  const sequenced = nodes.flatMap((node) => {
    const sequence = sequenceOf(node);
    return sequence === undefined ? [] : [{ node, sequence }];
  });
  return sequenced.toSorted((a, b) => a.sequence - b.sequence).map(({ node }) => node);
}

/** The next state and step. An event that means nothing in a state leaves it as it is and rests. */
export function decide(state: CandidateState, event: CandidateEvent): Decision {
  if (event.type === "expired") return out;
  if (event.type === "resign" && state.phase !== "out" && state.phase !== "creating") return leave(state);
  switch (state.phase) {
    case "out":
      return event.type === "join" ? create(event.guid) : out;
    case "creating":
      if (event.type === "created") return list(state.guid, event.node, false);
      if (event.type === "refused") return create(state.guid);
      if (event.type === "disconnected") return list(state.guid, null, true);
      break;
    case "listing":
      if (event.type === "children") return judge(state, event.nodes);
      if (event.type === "disconnected" || event.type === "refused") {
        return list(state.guid, state.node, state.node === null);
      }
      break;
    case "clearing":
      return event.type === "disconnected"
        ? { state, step: { do: "delete", node: state.surplus } }
        : list(state.guid, state.node, false);
    case "watching":
      if (event.type === "present") return { state: { ...state, phase: "waiting" }, step: { do: "wait" } };
      return list(state.guid, state.node, false);
    case "waiting":
      if (event.type === "notified" || event.type === "disconnected")
        return list(state.guid, state.node, false);
      break;
    case "claiming":
      if (event.type === "present") {
        return {
          state: { ...state, phase: "leading", token: event.czxid },
          step: { do: "lead", token: event.czxid },
        };
      }
      return event.type === "absent" ? out : list(state.guid, state.node, false);
    case "leading":
      if (event.type === "disconnected") return list(state.guid, state.node, false);
      break;
    case "leaving":
      return event.type === "disconnected" ? { state, step: { do: "delete", node: state.node } } : out;
  }
  return { state, step: { do: "rest" } };
}

const out: Decision = { state: outOfElection, step: { do: "rest" } };

function create(guid: string): Decision {
  return { state: { phase: "creating", guid }, step: { do: "create", prefix: candidatePrefix(guid) } };
}

function list(guid: string, node: string | null, sync: boolean): Decision {
  return { state: { phase: "listing", guid, node }, step: { do: "list", sync } };
}

/** A candidate that resigns before it knows its znode's name has to find it first. */
function leave(state: Exclude<CandidateState, { phase: "out" | "creating" }>): Decision {
  if (state.node === null) return list(state.guid, null, true);
  return {
    state: { phase: "leaving", guid: state.guid, node: state.node },
    step: { do: "delete", node: state.node },
  };
}

/** What the list of candidates means: no znode, one too many, the lead, or a predecessor to watch. */
function judge(state: Extract<CandidateState, { phase: "listing" }>, nodes: readonly string[]): Decision {
  const { guid } = state;
  const candidates = inOrder(nodes);
  const own = candidates.filter((node) => node.startsWith(candidatePrefix(guid)));
  const [node, surplus] = own;
  if (node === undefined) return state.node === null ? create(guid) : out;
  if (surplus !== undefined) {
    return { state: { phase: "clearing", guid, node, surplus }, step: { do: "delete", node: surplus } };
  }
  const position = candidates.indexOf(node);
  const predecessor = candidates[position - 1];
  if (predecessor === undefined)
    return { state: { phase: "claiming", guid, node }, step: { do: "claim", node } };
  return { state: { phase: "watching", guid, node, predecessor }, step: { do: "watch", node: predecessor } };
}

/**
 * What a leader with a token may make of the tokens that the guarded resource has accepted: the list to write, on
 * the version that was read; "accepted" where its token is there already; "deposed" where a later leader wrote.
 */
export function acceptToken(tokens: readonly Zxid[], token: Zxid): readonly Zxid[] | "accepted" | "deposed" {
  const last = tokens.at(-1);
  if (last === undefined || last < token) return [...tokens, token];
  return last === token ? "accepted" : "deposed";
}
