import type { World } from "../world.ts";

const all = new WeakMap<World, Map<string, unknown>>();

/** What the workers of one run have in common, by name: made when the first of them asks for it. */
export function shared<T>(world: World, name: string, make: () => T): T {
  let own = all.get(world);
  if (own === undefined) all.set(world, (own = new Map()));
  if (!own.has(name)) own.set(name, make());
  return own.get(name) as T;
}
