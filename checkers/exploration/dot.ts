import { canonical, stateKey, successors, type Model, type Value } from "../../model/index.ts";
import { encodeValue } from "./codec.ts";
import { changesBetween, type Counterexample } from "./counterexample.ts";
import { layoutOf } from "./layout.ts";

/** A graph of states as Graphviz draws it, and whether it was cut off. */
export interface Dot {
  readonly text: string;
  readonly states: number;
  readonly complete: boolean;
}

/**
 * The graph of a model's states breadth-first, up to `statesMax`: nodes tell what the step that found them changed,
 * edges are actions. A counterexample's path is drawn in red.
 */
export function dotOf(model: Model<unknown>, counterexample: Counterexample | null, statesMax: number): Dot {
  const layout = layoutOf(model);
  const ids = new Map<string, number>();
  const lines: string[] = [];
  const queue: unknown[] = [];
  const onPath = pathKeys(counterexample);
  const visit = (state: unknown, from: unknown): number | undefined => {
    const key = stateKey(state);
    const known = ids.get(key);
    if (known !== undefined || ids.size >= statesMax) return known;
    const id = ids.size;
    ids.set(key, id);
    queue.push(state);
    const label =
      from === undefined
        ? JSON.stringify(encodeValue(state as Value))
        : changesBetween(layout, from, state)
            .map(({ entry, after }) => `${entry} = ${JSON.stringify(after)}`)
            .join("\n");
    const red = onPath.has(encodedKey(encodeValue(state as Value))) ? ", color=red" : "";
    lines.push(`  ${id} [label=${quote(label)}${from === undefined ? ", peripheries=2" : ""}${red}];`);
    return id;
  };
  for (const state of model.initial) visit(state, undefined);
  let complete = true;
  for (let next = 0; next < queue.length; next++) {
    const state = queue[next];
    for (const { action, parameters, state: after } of successors(model, state)) {
      const to = visit(after, state);
      if (to === undefined) complete = false;
      else
        lines.push(
          `  ${next} -> ${to} [label=${quote(`${action}(${parameters.map(canonical).join(", ").replaceAll("@", "")})`)}];`,
        );
    }
  }
  const text = [
    "digraph states {",
    "  node [shape=box, fontname=monospace, fontsize=9];",
    ...lines,
    "}",
    "",
  ].join("\n");
  return { text, states: ids.size, complete };
}

function pathKeys(counterexample: Counterexample | null): ReadonlySet<string> {
  if (counterexample === null) return new Set();
  return new Set([counterexample.initial, ...counterexample.steps.map(({ state }) => state)].map(encodedKey));
}

function encodedKey(encoded: unknown): string {
  return JSON.stringify(encoded);
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\l")}"`;
}
