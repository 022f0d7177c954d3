export { EmbeddedCluster } from "./embedded-cluster.ts";
export { defaultTiming, defects, type Defect, type EmbeddedOptions, type Timing } from "./options.ts";
export { World } from "./world.ts";
