export { EmbeddedCluster } from "./embedded-cluster.ts";
export { oneSidedZab } from "./one-sided-zab.ts";
export { defaultTiming, defects, type Defect, type EmbeddedOptions, type Timing } from "./options.ts";
