import type { Zxid } from "../../history.ts";
import { childPath, nodeName } from "../../sequential/index.ts";
import { inSequence, rest, send, type Decision, type Decisions, type RecipeEvent } from "../decisions.ts";
import type { RecipeAnswer } from "../service/index.ts";

/*
 * The leader-election recipe.
 *
 * It is ZooKeeper's own ("ZooKeeper Recipes and Solutions", Leader Election; Hunt et al., USENIX ATC 2010, §2.4): an
 * ephemeral sequential znode a candidate, the lowest leads, each watches its predecessor only, and the children are
 * read again on every notification. Around it, what lost replies and expired sessions ask for: a GUID in the znode's
 * name, so that a create whose reply was lost is found again (Curator's protected create), and the znode's czxid as
 * the fencing token.
 *
 * Differs: on a lost connection a leader stops to believe that it leads and asks again, since it cannot tell a short
 * disconnection from the one that costs it its session. Who waits goes on waiting: its watch is set again.
 */

/** What a candidate knows. Znodes are named by their last path element. */
export type CandidateState =
  /** It has no znode, as far as it knows, and wants none. */
  | { readonly phase: "out" }
  | { readonly phase: "creating"; readonly guid: string }
  /** It reads the candidates. `node` is its own, null while it cannot know whether it was created. */
  | { readonly phase: "listing"; readonly guid: string; readonly node: string | null }
  | { readonly phase: "watching"; readonly guid: string; readonly node: string; readonly predecessor: string }
  | { readonly phase: "waiting"; readonly guid: string; readonly node: string; readonly predecessor: string }
  /** It is the lowest, and reads its own Stat for the token. */
  | { readonly phase: "claiming"; readonly guid: string; readonly node: string }
  | { readonly phase: "leading"; readonly guid: string; readonly node: string; readonly token: Zxid }
  | { readonly phase: "leaving"; readonly guid: string; readonly node: string };

/** `join`: it stands for election. `resign`: it leads no longer. */
export type CandidateCommand = "join" | "resign";

export type CandidateDecision = Decision<CandidateState>;
export type CandidateDecisions = Decisions<CandidateState, CandidateCommand>;

export const outOfElection: CandidateState = { phase: "out" };

/** One candidate of the election whose candidates are children of `path`. */
export function candidateDecisions(path: string): CandidateDecisions {
  const election = electionAt(path);
  return {
    start: outOfElection,
    commands: ({ phase }) => (phase === "out" ? ["join"] : phase === "leading" ? ["resign"] : []),
    decide: (state, event) => decide(election, state, event),
  };
}

/** A candidate's steps below one path. */
export interface Election {
  readonly path: string;
  create(guid: string): CandidateDecision;
  /** Behind a sync where a create may have taken effect that this server has not yet applied. */
  list(guid: string, node: string | null): CandidateDecision;
  watch(guid: string, node: string, predecessor: string): CandidateDecision;
  claim(guid: string, node: string): CandidateDecision;
  leave(guid: string, node: string): CandidateDecision;
}

export function electionAt(path: string): Election {
  const at = (node: string): string => childPath(path, node);
  return {
    path,
    create: (guid) =>
      send(
        { phase: "creating", guid },
        { op: "create", path: at(candidatePrefix(guid)), data: "", ephemeral: true, sequential: true },
      ),
    list: (guid, node) =>
      send({ phase: "listing", guid, node }, { op: "getChildren", path, watch: false, sync: node === null }),
    watch: (guid, node, predecessor) =>
      send(
        { phase: "watching", guid, node, predecessor },
        { op: "exists", path: at(predecessor), watch: true, sync: false },
      ),
    claim: (guid, node) =>
      send({ phase: "claiming", guid, node }, { op: "exists", path: at(node), watch: false, sync: false }),
    leave: (guid, node) =>
      send({ phase: "leaving", guid, node }, { op: "delete", path: at(node), version: -1 }),
  };
}

/** What is asked for to create; the server appends ten digits. */
export function candidatePrefix(guid: string): string {
  return `${guid}-candidate-`;
}

/** The next state and request. An event that means nothing in a state leaves it as it is. */
export function decide(
  election: Election,
  state: CandidateState,
  event: RecipeEvent<CandidateCommand>,
): CandidateDecision {
  if (event.type === "expired") return rest(outOfElection);
  switch (state.phase) {
    case "out":
      return event.type === "command" && event.command === "join" ? election.create(event.tag) : rest(state);
    case "creating":
      if (event.type === "disconnected") return election.list(state.guid, null);
      if (event.type !== "answer") break;
      return event.answer.error === null
        ? election.list(state.guid, nodeName(event.answer.path))
        : election.create(state.guid);
    case "listing":
      if (event.type === "disconnected") return election.list(state.guid, state.node);
      if (event.type === "answer") return judge(election, state, childrenIn(event.answer));
      break;
    case "watching":
      if (event.type === "disconnected") return election.list(state.guid, state.node);
      if (event.type !== "answer") break;
      // A predecessor that is gone leaves no watch, and need not have been the leader.
      return event.answer.error === null
        ? rest({ ...state, phase: "waiting" })
        : election.list(state.guid, state.node);
    case "waiting":
      if (event.type === "event") return election.list(state.guid, state.node);
      break;
    case "claiming":
      if (event.type === "disconnected") return election.list(state.guid, state.node);
      if (event.type !== "answer") break;
      return event.answer.error === null
        ? rest({ ...state, phase: "leading", token: event.answer.czxid })
        : rest(outOfElection);
    case "leading":
      if (event.type === "command" && event.command === "resign")
        return election.leave(state.guid, state.node);
      if (event.type === "disconnected") return election.list(state.guid, state.node);
      break;
    case "leaving":
      if (event.type === "disconnected") return election.leave(state.guid, state.node);
      if (event.type === "answer") return rest(outOfElection);
      break;
  }
  return rest(state);
}

export function childrenIn(answer: RecipeAnswer): readonly string[] {
  return answer.error === null ? answer.children : [];
}

/** What the list of candidates means: no znode of its own, the lead, or a predecessor to watch. */
function judge(
  election: Election,
  { guid, node: known }: Extract<CandidateState, { phase: "listing" }>,
  children: readonly string[],
): CandidateDecision {
  const candidates = inSequence(children);
  const node = candidates.find((candidate) => candidate.startsWith(candidatePrefix(guid)));
  if (node === undefined) return known === null ? election.create(guid) : rest(outOfElection);
  const predecessor = candidates[candidates.indexOf(node) - 1];
  return predecessor === undefined ? election.claim(guid, node) : election.watch(guid, node, predecessor);
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
