export { checkZookeeper, type ZookeeperOptions } from "./check.ts";
