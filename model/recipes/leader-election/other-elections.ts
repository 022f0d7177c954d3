import { childPath } from "../../sequential/index.ts";
import { rest, send } from "../decisions.ts";
import type { RecipeRequest } from "../service/index.ts";
import { outOfElection, type CandidateDecision, type CandidateDecisions } from "./decisions.ts";

/*
 * Elections that are not the recipe.
 */

const node = "leader";

/**
 * The election by one plain ephemeral znode: who creates it leads, the others watch it (Junqueira & Reed, "ZooKeeper:
 * Distributed Process Coordination", ch. 3, the election of a master). Right, but every departure wakes everybody.
 *
 * The znode's data is the candidate's GUID, so that a candidate whose create was not answered knows its own; who has
 * created it reads it again for the token. `ephemeral` false is the mistake: nothing takes it from a leader that died.
 */
export function singleNode(recipe: CandidateDecisions, path: string, ephemeral: boolean): CandidateDecisions {
  const at = childPath(path, node);
  const create = (guid: string): CandidateDecision =>
    send({ phase: "creating", guid }, { op: "create", path: at, data: guid, ephemeral, sequential: false });
  /** Behind a sync, as a create of its own may have taken effect that this server has not yet applied. */
  const look = (watch: boolean): RecipeRequest => ({ op: "getData", path: at, watch, sync: true });
  const remove = (guid: string): CandidateDecision =>
    send({ phase: "leaving", guid, node }, { op: "delete", path: at, version: -1 });
  return {
    ...recipe,
    decide(state, event) {
      if (event.type === "expired") return rest(outOfElection);
      if (state.phase === "out") {
        return event.type === "command" && event.command === "join" ? create(event.tag) : rest(state);
      }
      const { guid } = state;
      const watch = (): CandidateDecision =>
        send({ phase: "watching", guid, node, predecessor: node }, look(true));
      const claim = (): CandidateDecision => send({ phase: "claiming", guid, node }, look(false));
      switch (state.phase) {
        case "creating":
          return event.type === "answer" && event.answer.error !== null ? watch() : claim();
        case "claiming":
        case "watching":
          if (event.type === "disconnected") return claim();
          if (event.type !== "answer") break;
          if (event.answer.error !== null) return create(guid);
          if (event.answer.data === guid)
            return rest({ phase: "leading", guid, node, token: event.answer.czxid });
          return state.phase === "claiming" ? watch() : rest({ ...state, phase: "waiting" });
        case "waiting":
          if (event.type === "event") return watch();
          break;
        case "leading":
          if (event.type === "command" && event.command === "resign") return remove(guid);
          if (event.type === "disconnected") return claim();
          break;
        case "leaving":
          // By now the znode may be another's: it looks before it deletes again.
          if (event.type === "disconnected") return send(state, look(false));
          if (event.type !== "answer") break;
          return event.request.op === "getData" && event.answer.error === null && event.answer.data === guid
            ? remove(guid)
            : rest(outOfElection);
      }
      return rest(state);
    },
  };
}

/** Who asks its own process's memory is always told that nobody else leads. No request ever leaves the process. */
export function inMemory(recipe: CandidateDecisions): CandidateDecisions {
  return {
    ...recipe,
    decide(state, event) {
      if (event.type !== "command") return rest(state);
      if (event.command === "resign") return rest(outOfElection);
      return rest({ phase: "leading", guid: event.tag, node: event.tag, token: 1 });
    },
  };
}
