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
 * Differs from the sources: it gives up when it is stuck for long, where the whole search can do more; and of the
 * operations that may come next it tries only those of use. That loses no linearization. Take, of all continuations
 * of a configuration, one with the fewest operations that take effect before the next completion. Its last is the one
 * that completes, or brings the value that the completing read needs; where it only covers a write that completes,
 * that write can take its place. What precedes an answered exchange brings the value that it needs, which is waited
 * for. Otherwise the first brings a value that a read waits for, itself or by a chain of unanswered exchanges: any
 * write within the chain would make what precedes it superfluous. So following the sources of what is waited for leads
 * to the first, through the present value only where a write that is due makes that way worth while. Where nothing is
 * left to be tried, there is no linearization.
 */
export const registerByCompletions: SpecialisedAlgorithm = {
  name: "register by completions",
  source: "Wing & Gong, JPDC 1993; Lowe, Concurrency & Computation 29, 2017 (just-in-time linearization)",
  decide: decideByCompletions,
};

function decideByCompletions(operations: readonly TimedOperation[], initial: Json): Decision | undefined {
  const layout = layOutRegister(operations, initial);
  const result = layout === undefined ? undefined : new RegisterSearch(layout).run();
  if (result === undefined) return undefined;
  if (result.outcome === "violated") return { verdict: "violated", unexplained: result.unexplained };
  return { verdict: "holds", order: arrangeRegister(layout as RegisterLayout, result.moves) };
}
