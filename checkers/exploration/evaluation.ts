import { ModelError, nameOf, projecting, updating, type Identity, type Value } from "../../model/index.ts";
import { forEachEntry, type Layout, type Shape } from "./layout.ts";

/** Reads and writes of components by one evaluation of a model's function. */
export interface Access {
  read(component: number): Value;
  write(component: number, value: Value): void;
  /** The entry becomes a function of what it is. */
  update(component: number, change: ChangeBy, more: readonly Value[]): void;
  /** The entry as a function shows it. */
  project(component: number, show: Show, more: readonly Value[]): Value;
}

export type ChangeBy = (entry: Value, ...more: readonly Value[]) => Value;
export type Show = (entry: Value, ...more: readonly Value[]) => Value;

/** What becomes of an entry. Changes of one key are the same function. */
export interface Change {
  readonly key: string;
  readonly apply: (entry: Value) => Value;
}

/**
 * A state as a model's function sees it: variables as properties, tables indexed by identities. Each access goes to
 * `access`, so that the engine learns what a function depends on. Unknown variables and identities are errors, never
 * an `undefined`. Without `write` it is read-only.
 */
export function stateView(layout: Layout, access: Pick<Access, "read"> & Partial<Access>): unknown {
  const shapes = new Map(layout.variables.map(({ name, shape }) => [name, shape]));
  const view = Object.create(prototypeOf("the state has no variable", shapes, access));
  for (const { name, shape } of layout.variables) defineEntry(view, name, shape, name, access);
  return Object.preventExtensions(view);
}

function defineEntry(
  owner: object,
  key: string | symbol,
  shape: Shape,
  name: string,
  access: Pick<Access, "read"> & Partial<Access>,
): void {
  const { write } = access;
  const get =
    shape.kind === "entry" ? () => access.read(shape.component) : constant(tableView(shape, name, access));
  const set = (value: Value): void => {
    if (write === undefined) throw new ModelError(`${name} was written outside of an action`);
    forEachEntry(shape, value, name, (component, entry) => access.write?.(component, entry));
  };
  Object.defineProperty(owner, key, { get, set, enumerable: true });
}

function constant<T>(value: T): () => T {
  return () => value;
}

function tableView(
  shape: Shape & { kind: "table" },
  name: string,
  access: Pick<Access, "read"> & Partial<Access>,
): unknown {
  const shapes = shape.entries as unknown as ReadonlyMap<symbol, Shape>;
  const view = Object.create(prototypeOf(`${name} has no entry for`, shapes, access));
  for (const [identity, inner] of shape.entries) {
    defineEntry(view, identity as unknown as symbol, inner, `${name}[${nameOf(identity)}]`, access);
  }
  return Object.preventExtensions(view);
}

/** What views inherit: ways of their own to be updated and looked at, and a refusal of all names that are not theirs. */
function prototypeOf(
  refusal: string,
  shapes: ReadonlyMap<string | symbol, Shape>,
  { update, project }: Partial<Access>,
): object {
  type View = Record<string | symbol, Value>;
  const prototype = Object.create(refusing(refusal));
  if (update !== undefined) {
    const value = function (
      this: View,
      key: string | symbol,
      change: ChangeBy,
      more: readonly Value[],
    ): void {
      const shape = shapes.get(key);
      if (shape?.kind === "entry") update(shape.component, change, more);
      else this[key] = change(this[key] as Value, ...more);
    };
    Object.defineProperty(prototype, updating, { value });
  }
  if (project !== undefined) {
    const value = function (this: View, key: string | symbol, show: Show, more: readonly Value[]): Value {
      const shape = shapes.get(key);
      return shape?.kind === "entry"
        ? project(shape.component, show, more)
        : show(this[key] as Value, ...more);
    };
    Object.defineProperty(prototype, projecting, { value });
  }
  return prototype;
}

/** A prototype on which a look-up of a name that the object itself lacks ends. */
function refusing(text: string): object {
  const refuse = (key: string | symbol): never => {
    const label = typeof key === "symbol" ? nameOf(key as unknown as Identity) : `'${key}'`;
    throw new ModelError(`${text} ${label}`);
  };
  // Names that the language itself looks up: in conversions, in awaits, when it inspects.
  const isOurs = (key: string | symbol): boolean =>
    typeof key === "symbol" ? Symbol.keyFor(key) !== undefined : key !== "then" && !(key in Object.prototype);
  return new Proxy(Object.create(null) as object, {
    get: (_, key) => (isOurs(key) ? refuse(key) : undefined),
    set: (_, key) => refuse(key),
    has: () => false,
  });
}
