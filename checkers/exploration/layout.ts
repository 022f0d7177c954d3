import { isTable, ModelError, nameOf, type Identity, type Model, type Value } from "../../model/index.ts";

/** A variable's structure: one entry, or a table of identities with an entry (or a table) for each. */
export type Shape =
  | { readonly kind: "entry"; readonly component: number }
  | { readonly kind: "table"; readonly entries: ReadonlyMap<Identity, Shape> };

export interface Variable {
  readonly name: string;
  readonly index: number;
  readonly shape: Shape;
  /** Left out of the state's identity. */
  readonly ghost: boolean;
}

/** The unit of reading and writing: one entry of one variable, `msgs[s1][s2]`. A state is a row of their values' ids. */
export interface Component {
  readonly index: number;
  readonly variable: Variable;
  readonly path: readonly Identity[];
  /** "msgs[s1][s2]" */
  readonly name: string;
}

/** How a model's states are laid out as rows. */
export interface Layout {
  readonly variables: readonly Variable[];
  readonly components: readonly Component[];
}

/** The layout of a model's states, by its first initial state. Throws ModelError when there is none. */
export function layoutOf(model: Model<unknown>, ghosts: ReadonlySet<string> = new Set()): Layout {
  const first = model.initial[0];
  if (typeof first !== "object" || first === null) throw new ModelError("the model has no initial state");
  const components: Component[] = [];
  const variables = Object.entries(first as Record<string, Value>).map(([name, value], index) => {
    const shapeAt = (entry: Value, path: readonly Identity[]): Shape => {
      if (!isTable(entry)) {
        const component = components.length;
        components.push({ index: component, variable, path, name: componentName(name, path) });
        return { kind: "entry", component };
      }
      const keys = Object.getOwnPropertySymbols(entry) as unknown as Identity[];
      const table = entry as unknown as Record<symbol, Value>;
      return {
        kind: "table",
        entries: new Map(keys.map((key) => [key, shapeAt(table[key as symbol] as Value, [...path, key])])),
      };
    };
    const variable: { name: string; index: number; shape: Shape; ghost: boolean } = {
      name,
      index,
      shape: { kind: "entry", component: -1 },
      ghost: ghosts.has(name),
    };
    variable.shape = shapeAt(value, []);
    return variable;
  });
  if (components.length === 0) throw new ModelError("the model's state has no variables");
  return { variables, components };
}

export function componentName(variable: string, path: readonly Identity[]): string {
  return variable + path.map((identity) => `[${nameOf(identity)}]`).join("");
}

/** Calls `visit` with each entry of a variable's value. Throws ModelError where its tables are not those of the first initial state. */
export function forEachEntry(
  shape: Shape,
  value: Value,
  name: string,
  visit: (component: number, entry: Value) => void,
): void {
  if (shape.kind === "entry") {
    visit(shape.component, value);
    return;
  }
  const keys =
    typeof value === "object" && value !== null
      ? (Object.getOwnPropertySymbols(value) as unknown as Identity[])
      : [];
  if (keys.length !== shape.entries.size || !keys.every((key) => shape.entries.has(key))) {
    throw new ModelError(`${name} must keep an entry for each of its identities, as in the initial state`);
  }
  for (const [key, inner] of shape.entries) {
    const entry = (value as unknown as Record<symbol, Value>)[key as symbol] as Value;
    forEachEntry(inner, entry, `${name}[${nameOf(key)}]`, visit);
  }
}

/** The entries of a whole state in the order of components. */
export function entriesOf(layout: Layout, state: unknown): Value[] {
  const entries: Value[] = Array.from({ length: layout.components.length });
  const record = state as { readonly [name: string]: Value };
  const names = Object.keys(record);
  const unknown = names.find((name) => !layout.variables.some((variable) => variable.name === name));
  if (unknown !== undefined || names.length !== layout.variables.length) {
    throw new ModelError("initial states must all have the same variables");
  }
  for (const { name, shape } of layout.variables) {
    forEachEntry(shape, record[name] as Value, name, (component, entry) => {
      entries[component] = entry;
    });
  }
  return entries;
}

/** A state as models read it, from the value of each component. */
export function stateOf(layout: Layout, entry: (component: number) => Value): unknown {
  const build = (shape: Shape): Value => {
    if (shape.kind === "entry") return entry(shape.component);
    const table: Record<symbol, Value> = {};
    for (const [key, inner] of shape.entries) table[key as symbol] = build(inner);
    return table as unknown as Value;
  };
  return Object.fromEntries(layout.variables.map(({ name, shape }) => [name, build(shape)]));
}
