export { checkZookeeper, judgeZookeeper, type ZookeeperOptions } from "./check.ts";
export { readZookeeperFile, type FiledHistory } from "./history/read-file.ts";
export { checkWritesBySearch } from "./by-search.ts";
