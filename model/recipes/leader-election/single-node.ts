import { nameOf } from "../../specification/index.ts";
import type { Program, Reaction, Request } from "../service/index.ts";
import { outOfElection, type CandidateState } from "./decisions.ts";
import { electionPath, pathOf, type Candidate } from "./program.ts";

const node = "leader";

/**
 * The election by one plain ephemeral znode: who creates it leads, the others watch it (Junqueira & Reed, "ZooKeeper:
 * Distributed Process Coordination", ch. 3, the election of a master). Right, but every departure wakes everybody.
 *
 * The znode's data is the candidate's GUID, so that a candidate whose create was not answered knows its own.
 */
export function singleNodeProgram(
  candidacies: number,
  { ephemeral }: { readonly ephemeral: boolean } = { ephemeral: true },
): Program<Candidate> {
  const create = (guid: string): Request => {
    return { op: "create", path: pathOf(node), data: guid, ephemeral, sequential: false };
  };
  return {
    start: () => ({ candidate: outOfElection, joined: 0 }),
    choices({ candidate, joined }) {
      if (candidate.phase === "out") return joined < candidacies ? ["join"] : [];
      return candidate.phase === "leading" ? ["resign"] : [];
    },
    react({ candidate, joined }, input, client) {
      const goOn = (state: CandidateState, request: Request | null): Reaction<Candidate> => ({
        state: { candidate: state, joined },
        request,
      });
      if (input.type === "expired") return goOn(outOfElection, null);
      if (candidate.phase === "out") {
        if (input.type !== "choice") return goOn(outOfElection, null);
        const guid = `${nameOf(client)}.${joined + 1}`;
        return {
          state: { candidate: { phase: "creating", guid }, joined: joined + 1 },
          request: create(guid),
        };
      }
      const { guid } = candidate;
      if (input.type === "choice" || candidate.phase === "leaving") {
        if (input.type === "answer") return goOn(outOfElection, null);
        return goOn({ phase: "leaving", guid, node }, { op: "delete", path: pathOf(node), version: -1 });
      }
      if (input.type !== "answer") return goOn({ phase: "watching", guid, node, predecessor: node }, look);
      const { request, answer } = input;
      if (request.op === "create" || answer.error === null) {
        if (answer.error === null && answer.data === guid) {
          return goOn({ phase: "leading", guid, node, token: answer.czxid }, null);
        }
        return request.op === "create"
          ? goOn({ phase: "watching", guid, node, predecessor: node }, look)
          : goOn({ phase: "waiting", guid, node, predecessor: node }, null);
      }
      return goOn({ phase: "creating", guid }, create(guid));
    },
  };
}

/** Behind a sync, as a create of its own may have taken effect that this server has not yet applied. */
const look: Request = { op: "getData", path: `${electionPath}/${node}`, watch: true, sync: true };
