import { InputError } from "../../model/index.ts";
import type { Settings } from "./configuration.ts";
import type { Engine } from "./engine.ts";
import { canMakeBaseImage, ensureBaseImage, hasBaseImage, labelsOfImage } from "./images/base-image.ts";
import { baseImageTag, toolsLabel } from "./images/names.ts";
import { imageOfRelease, unknownImage } from "./images/server-image.ts";
import type { Progress } from "./images/tool.ts";

export interface DockerClusterOptions {
  /**
   * A release ("3.9.5"): the official image where it was pulled, else the one made here, else one made now. Of several
   * the servers take one after the other, in turn.
   */
  readonly release?: string | readonly string[];
  /** Any image of the official contract, in place of a release; one for all, or one for each server. */
  readonly image?: string | readonly string[];
  /** Voters, 1 to 9. */
  readonly servers: number;
  /** Servers without a vote, named after the voters; 0 to 9, 0 by default. */
  readonly observers?: number;
  /** The release that the fault `upgrade` leads to. */
  readonly upgradeTo?: string;
  /** For zoo.cfg, by its names. */
  readonly settings?: Settings;
  readonly jvmFlags?: readonly string[];
  /** The limit of each server's container; 768 MiB by default. */
  readonly memoryBytes?: number;
  /** An IPv4 range for the run's network; one that clashes with nothing is found by default. */
  readonly subnet?: string;
  /** Server n listens on this port + n - 1 of the loopback, for hosts that cannot reach containers' addresses. */
  readonly publishPort?: number;
  /** An image with a shell and iptables, for the side containers. */
  readonly sideImage?: string;
  readonly startTimeoutMs?: number;
  readonly progress?: Progress;
}

/** Throws InputError where the options make no sense, whatever the machine. */
export function validate(options: DockerClusterOptions): void {
  const { servers, observers = 0, publishPort, image, release } = options;
  if (!Number.isInteger(servers) || servers < 1 || servers > 9) {
    throw new InputError(`${servers} servers are no ensemble`, "expected 1 to 9 servers");
  }
  if (!Number.isInteger(observers) || observers < 0 || observers > 9) {
    throw new InputError(`${observers} observers`, "expected 0 to 9");
  }
  if (servers === 1 && observers > 0) {
    throw new InputError("one server alone has no observers", "take --servers 3");
  }
  const all = servers + observers;
  if (publishPort !== undefined && (publishPort < 1 || publishPort + all - 1 > 65_535)) {
    throw new InputError(`no ${all} ports begin at ${publishPort}`, "expected a port from 1 to 65535");
  }
  if ((image === undefined) === (release === undefined)) {
    throw new InputError("which ZooKeeper is to run?", "give either --release 3.9.5 or --image IMAGE");
  }
  if (typeof image === "object" && image.length !== all) {
    throw new InputError(`${image.length} images for ${all} servers`, "expected one image, or one a server");
  }
  if (typeof release === "object" && (release.length === 0 || release.length > all)) {
    throw new InputError(`${release.length} releases for ${all} servers`, "expected no more than servers");
  }
}

/** What an ensemble's containers are made from. */
export interface Images {
  /** One a server, in their order. */
  readonly servers: readonly string[];
  readonly other: string | undefined;
  readonly side: SideImage;
}

/** Finds the images, or makes those of releases. Throws OperationError "unknown-image" or what making one throws. */
export async function imagesOf(
  engine: Engine,
  options: DockerClusterOptions,
  progress: Progress,
): Promise<Images> {
  const all = options.servers + (options.observers ?? 0);
  const given = options.image ?? (await imagesOfReleases(engine, options.release ?? "", progress));
  const list = typeof given === "string" ? [given] : given;
  const servers = Array.from({ length: all }, (_, i) => list[i % list.length]!);
  for (const each of new Set(servers)) {
    if ((await labelsOfImage(engine, each)) === undefined) throw unknownImage(each);
  }
  const other =
    options.upgradeTo === undefined ? undefined : await imageOfRelease(engine, options.upgradeTo, progress);
  return { servers, other, side: await sideImageOf(engine, options.sideImage, servers, progress) };
}

async function imagesOfReleases(
  engine: Engine,
  release: string | readonly string[],
  progress: Progress,
): Promise<readonly string[]> {
  const images: string[] = [];
  for (const each of typeof release === "string" ? [release] : release) {
    images.push(await imageOfRelease(engine, each, progress));
  }
  return images;
}

export interface SideImage {
  readonly image: string;
  /** Undefined where it can do all that faults ask of it. */
  readonly lacks: string | undefined;
}

/** The image of the side containers: one with the tools, and if there is none, the server's own, without faults on packets. */
async function sideImageOf(
  engine: Engine,
  wanted: string | undefined,
  images: readonly string[],
  progress: Progress,
): Promise<SideImage> {
  if (wanted !== undefined) {
    if ((await labelsOfImage(engine, wanted)) === undefined) throw unknownImage(wanted);
    return { image: wanted, lacks: undefined };
  }
  if (await hasBaseImage(engine)) return { image: baseImageTag, lacks: undefined };
  const image = images[0]!;
  if ((await labelsOfImage(engine, image))?.[toolsLabel] !== undefined) return { image, lacks: undefined };
  if (canMakeBaseImage()) return { image: await ensureBaseImage(engine, progress), lacks: undefined };
  return {
    image,
    lacks: `no local image has iptables: \`zabcheck image\` as root makes one`,
  };
}
