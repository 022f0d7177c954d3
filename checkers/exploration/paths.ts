import { canonical, ModelError } from "../../model/index.ts";
import type { Program } from "./program.ts";
import type { Instance } from "./transitions.ts";

/** A path: its initial state by number, and its steps. */
export interface Path {
  readonly initial: number;
  readonly instances: readonly Instance[];
}

/** The way on which a state was found: `parents` holds [state before, instance] for each state by number. */
export function pathTo(program: Program, parents: Int32Array, state: number): Path {
  const instances: Instance[] = [];
  let at = state;
  for (;;) {
    const before = parents[2 * at] as number;
    const instance = parents[2 * at + 1] as number;
    if (before < 0) return { initial: instance, instances: instances.reverse() };
    instances.push(program.transitions.instances[instance] as Instance);
    at = before;
  }
}

/** What a model threw, with the way to the state in which it did. */
export function located(error: unknown, path: () => Path): unknown {
  if (!(error instanceof ModelError)) return error;
  const { instances } = path();
  const last = instances
    .slice(-3)
    .map(({ action, parameters }) => `${action.name}(${parameters.map(canonical).join(", ")})`);
  const where =
    instances.length === 0
      ? "in an initial state"
      : `in a state that ${instances.length} steps lead to, the last of them ${last.join(", ")}`;
  return new ModelError(`${error.message}, ${where.replaceAll("@", "")}`, { cause: error });
}
