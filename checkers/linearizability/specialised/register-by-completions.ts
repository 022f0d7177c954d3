import type { Json } from "../../../model/light.ts";
import type { TimedOperation } from "../operations.ts";
import type { Decision, SpecialisedAlgorithm } from "./algorithm.ts";
import { layOutRegister, type RegisterLayout } from "./register-layout.ts";
import { arrangeRegister } from "./register-order.ts";
import { RegisterSearch } from "./register-search.ts";

/**
 * Registers of any values: the search, on integers alone. Up to 32 operations open at a time are bits of a word, reads
 * are linearized as soon as they fit, a write covers all that are open, and an operation takes effect no earlier than
 * the next completion needs it. Configurations that used fewer unanswered operations go first.
 *
 * Differs from the sources: it gives up when it is stuck, and tries an unanswered cas only where a value is waited for.
 * So it finds a linearization of nearly every history that has one, and decides nothing where it finds none: the whole
 * search does, and explains it.
 */
export const registerByCompletions: SpecialisedAlgorithm = {
  name: "register by completions",
  source: "Wing & Gong, JPDC 1993; Lowe, Concurrency & Computation 29, 2017 (just-in-time linearization)",
  decide: decideByCompletions,
};

function decideByCompletions(operations: readonly TimedOperation[], initial: Json): Decision | undefined {
  const layout = layOutRegister(operations, initial);
  const moves = layout === undefined ? undefined : new RegisterSearch(layout).run();
  return moves === undefined
    ? undefined
    : { verdict: "holds", order: arrangeRegister(layout as RegisterLayout, moves) };
}
