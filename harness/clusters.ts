import type { Cluster, Defect } from "../clusters/index.ts";
import { InputError } from "../model/index.ts";
import { hintOfNames } from "./names.ts";

/** Which ensemble is wanted, as the command line says it. */
export interface ClusterWish {
  readonly cluster: string;
  readonly servers: number;
  readonly defect?: string;
  readonly image?: string;
  readonly release?: string;
  readonly publish?: number;
}

/** The release that Docker runs use unless told otherwise. */
export const defaultRelease = "3.9.5";

/**
 * Makes an ensemble that has not been started.
 * Throws InputError for wishes that do not fit together, OperationError where there is no engine or no image.
 */
export async function makeCluster(
  wish: ClusterWish,
  seed: number,
  tell: (line: string) => void,
): Promise<Cluster> {
  return wish.cluster === "docker" ? docker(wish, tell) : embedded(wish, seed);
}

async function docker(wish: ClusterWish, tell: (line: string) => void): Promise<Cluster> {
  const { servers, image, release, publish } = wish;
  if (wish.defect !== undefined) {
    throw new InputError("real servers have no --defect", "leave it out, or use --cluster embedded");
  }
  if (image !== undefined && release !== undefined) {
    throw new InputError("--image and --release exclude each other", "give one of them");
  }
  const { createDockerCluster } = await import("../clusters/index.ts");
  return createDockerCluster({
    servers,
    ...(image === undefined ? { release: release ?? defaultRelease } : { image }),
    ...(publish === undefined ? {} : { publishPort: publish }),
    progress: tell,
  });
}

async function embedded(wish: ClusterWish, seed: number): Promise<Cluster> {
  for (const flag of ["image", "release", "publish"] as const) {
    if (wish[flag] === undefined) continue;
    throw new InputError(`--${flag} is for real servers`, "add --cluster docker, or leave it out");
  }
  const { EmbeddedCluster, defects } = await import("../clusters/index.ts");
  const { servers, defect } = wish;
  if (defect === undefined) return new EmbeddedCluster({ seed, servers });
  const known = Object.keys(defects) as Defect[];
  const chosen = known.find((name) => name === defect);
  if (chosen === undefined) throw new InputError(`unknown defect '${defect}'`, hintOfNames(defect, known));
  return new EmbeddedCluster({ seed, servers, defect: chosen });
}
