export { extractFiles } from "./archive.ts";
export { createDockerCluster, type DockerCluster } from "./docker-cluster.ts";
export { connectEngine, type Engine } from "./engine.ts";
export { type DockerForTests, dockerForTests } from "./for-tests.ts";
export { officialImageTag, ownImageTag, parseRelease } from "./images/names.ts";
export {
  hasImageOfRelease,
  imageOfRelease,
  type ImageOptions,
  type MadeImage,
  makeServerImage,
} from "./images/server-image.ts";
export type { DockerClusterOptions } from "./options.ts";
export { livenessOf, type Owner, thisOwner } from "./owner.ts";
export type { Progress } from "./images/tool.ts";
export { sweep, type SweepOptions, type Swept } from "./sweep.ts";
