/**
 * A second door of this room, for what has to start at once: what judging one history needs, without the protocols,
 * the recipes and the tree of znodes. `index.ts` has all of it, too.
 */
export * from "./errors.ts";
export * from "./history.ts";
export * from "./history-codec.ts";
export * from "./history-lines.ts";
export * from "./sequential/specification.ts";
export * from "./sequential/data-types/index.ts";
