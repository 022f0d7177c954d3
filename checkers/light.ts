/** A second door of this room, as that of `model/light.ts`: linearizability and the readers of histories. */
export * from "./verdict.ts";
export * from "./linearizability/index.ts";
export * from "./readers/index.ts";
