import { nameOf } from "../../specification/index.ts";
import type { Program, Reaction, Request } from "../service/index.ts";
import { queuePath, type Locker } from "./decisions.ts";

const node = "held";
const path = `${queuePath}/${node}`;
const release: Request = { op: "delete", path, version: -1 };

/**
 * The lock of many code bases: one ephemeral znode of a fixed path, deleted by that path to release it, whoever owns
 * it by then. `whoWaits` also releases when it gives up waiting, as code does that releases in a `finally`.
 */
export function fixedPathProgram(times: number, whoWaits: boolean): Program<Locker> {
  const goOn = (state: Locker, request: Request | null): Reaction<Locker> => ({ state, request });
  return {
    start: () => ({ phase: "free", asked: 0 }),
    choices(state) {
      if (state.phase === "free") return state.asked < times ? ["write"] : [];
      if (state.phase === "waiting") return whoWaits ? ["give up"] : [];
      return state.phase === "holding" ? ["release"] : [];
    },
    react(state, input, client) {
      const asked = state.phase === "free" && input.type === "choice" ? state.asked + 1 : state.asked;
      const own = `${nameOf(client)}.${asked}`;
      const create: Request = { op: "create", path, data: own, ephemeral: true, sequential: false };
      const look: Request = { op: "getData", path, watch: true, sync: true };
      const common = { asked, mode: "write", node } as const;
      if (state.phase === "free") {
        return input.type === "choice"
          ? goOn({ phase: "creating", asked, mode: "write" }, create)
          : goOn(state, null);
      }
      if (state.phase === "releasing") {
        return input.type === "answer" ? goOn({ phase: "free", asked }, null) : goOn(state, release);
      }
      // The mistake: the znode may be another's by now, after an expired session or when one has only waited.
      if (input.type === "choice" || (input.type === "expired" && state.phase === "holding")) {
        return goOn({ phase: "releasing", ...common }, release);
      }
      if (input.type === "expired") return goOn({ phase: "free", asked }, null);
      if (input.type !== "answer") return goOn({ phase: "listing", ...common }, look);
      const { request, answer } = input;
      if (answer.error === null)
        return goOn({ phase: answer.data === own ? "holding" : "waiting", ...common }, null);
      return request.op === "create"
        ? goOn({ phase: "listing", ...common }, look)
        : goOn({ phase: "creating", asked, mode: "write" }, create);
    },
  };
}
