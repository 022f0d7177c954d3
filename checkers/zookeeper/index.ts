export { checkZookeeper, type ZookeeperOptions } from "./check.ts";
export { checkWritesBySearch } from "./by-search.ts";
