import { rest, send } from "../decisions.ts";
import type { RecipeRequest } from "../service/index.ts";
import type { TakerDecisions } from "./decisions.ts";

/** It reads a counter and writes it back plus one, whatever its version is by then. */
export function readThenWrite(path: string): TakerDecisions {
  const look: RecipeRequest = { op: "getData", path, watch: false, sync: true };
  return {
    start: { phase: "idle" },
    commands: ({ phase }) => (phase === "taking" ? [] : ["generate"]),
    decide(state, event) {
      if (event.type === "command") return send({ phase: "taking" }, look);
      if (state.phase !== "taking") return rest(state);
      if (event.type !== "answer" || event.answer.error !== null) return rest({ phase: "idle" });
      const { request, answer } = event;
      if (request.op === "setData") return rest({ phase: "given", id: Number(request.data) });
      return send(state, { op: "setData", path, data: String(Number(answer.data) + 1), version: -1 });
    },
  };
}
