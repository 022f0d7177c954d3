import { nameOf } from "../../specification/index.ts";
import type { Program } from "../service/index.ts";
import { outOfElection } from "./decisions.ts";
import type { Candidate } from "./program.ts";

/** Who asks its own process's memory is always told that nobody else leads. No request ever leaves the process. */
export function inMemoryProgram(candidacies: number): Program<Candidate> {
  return {
    start: () => ({ candidate: outOfElection, joined: 0 }),
    choices: ({ candidate, joined }) =>
      candidate.phase === "leading" ? ["resign"] : joined < candidacies ? ["join"] : [],
    react: (state, input, client) => {
      if (input.type !== "choice") return { state, request: null };
      if (input.choice === "resign") return { state: { ...state, candidate: outOfElection }, request: null };
      const joined = state.joined + 1;
      const guid = `${nameOf(client)}.${joined}`;
      return {
        state: { candidate: { phase: "leading", guid, node: guid, token: 1 }, joined },
        request: null,
      };
    },
  };
}
