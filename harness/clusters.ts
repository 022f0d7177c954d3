import type { Cluster, Defect } from "../clusters/index.ts";
import { InputError } from "../model/index.ts";
import { hintOfNames } from "./names.ts";

/** Which ensemble is wanted, as the command line says it. */
export interface ClusterWish {
  readonly cluster: string;
  /** Voters. */
  readonly servers: number;
  /** 0 by default. */
  readonly observers?: number;
  readonly defect?: string;
  readonly image?: string;
  /** Several, with commas, are taken in turn. */
  readonly release?: string;
  /** Where the fault `upgrade` leads; by default from an older release to the usual one, and from that one back. */
  readonly upgradeTo?: string;
  readonly publish?: number;
}

/** The release that Docker runs use unless told otherwise. */
export const defaultRelease = "3.9.5";

/** The other end of upgrades from or to it. */
const formerRelease = "3.8.6";

/**
 * Makes an ensemble that has not been started. `faults` are the names of those that are wanted of it.
 * Throws InputError for wishes that do not fit together, OperationError where there is no engine or no image.
 */
export async function makeCluster(
  wish: ClusterWish,
  seed: number,
  tell: (line: string) => void,
  faults: readonly string[] = [],
): Promise<Cluster> {
  return wish.cluster === "docker" ? docker(wish, tell, faults) : embedded(wish, seed);
}

async function docker(
  wish: ClusterWish,
  tell: (line: string) => void,
  faults: readonly string[],
): Promise<Cluster> {
  const { servers, observers = 0, image, release, publish } = wish;
  if (wish.defect !== undefined) {
    throw new InputError("real servers have no --defect", "leave it out, or use --cluster embedded");
  }
  if (image !== undefined && release !== undefined) {
    throw new InputError("--image and --release exclude each other", "give one of them");
  }
  const { createDockerCluster } = await import("../clusters/index.ts");
  const releases = (release ?? defaultRelease).split(",").map((each) => each.trim());
  const upgradeTo =
    wish.upgradeTo ?? (faults.includes("upgrade") ? await otherRelease(wish, releases) : undefined);
  return createDockerCluster({
    servers,
    observers,
    ...(image === undefined ? { release: releases } : { image }),
    ...(upgradeTo === undefined ? {} : { upgradeTo }),
    ...(publish === undefined ? {} : { publishPort: publish }),
    progress: tell,
  });
}

const flagsOfRealServers = [
  ["image", "image"],
  ["release", "release"],
  ["upgradeTo", "upgrade-to"],
  ["publish", "publish"],
] as const;

/** Nobody knows which release an image holds that is given by its name; and no image is made that nobody asked for. */
async function otherRelease(
  { image }: ClusterWish,
  releases: readonly string[],
): Promise<string | undefined> {
  if (image !== undefined) return undefined;
  const other = releases.includes(defaultRelease) ? formerRelease : defaultRelease;
  const { connectEngine, hasImageOfRelease } = await import("../clusters/index.ts");
  return (await hasImageOfRelease(await connectEngine(), other)) ? other : undefined;
}

async function embedded(wish: ClusterWish, seed: number): Promise<Cluster> {
  for (const [flag, name] of flagsOfRealServers) {
    if (wish[flag] === undefined) continue;
    throw new InputError(`--${name} is for real servers`, "add --cluster docker, or leave it out");
  }
  const { EmbeddedCluster, defects } = await import("../clusters/index.ts");
  const { servers, observers = 0, defect } = wish;
  if (defect === undefined) return new EmbeddedCluster({ seed, servers, observers });
  const known = Object.keys(defects) as Defect[];
  const chosen = known.find((name) => name === defect);
  if (chosen === undefined) throw new InputError(`unknown defect '${defect}'`, hintOfNames(defect, known));
  return new EmbeddedCluster({ seed, servers, observers, defect: chosen });
}
