import { InputError } from "../../model/index.ts";
import type { Settings } from "./configuration.ts";
import type { Engine } from "./engine.ts";
import { canMakeBaseImage, ensureBaseImage, hasBaseImage, labelsOfImage } from "./images/base-image.ts";
import { baseImageTag, toolsLabel } from "./images/names.ts";
import { imageOfRelease, unknownImage } from "./images/server-image.ts";
import type { Progress } from "./images/tool.ts";

export interface DockerClusterOptions {
  /** A release ("3.9.5"): the official image where it was pulled, else the one made here, else one made now. */
  readonly release?: string;
  /** Any image of the official contract, in place of a release; one for all, or one for each server. */
  readonly image?: string | readonly string[];
  /** 1 to 9. */
  readonly servers: number;
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
export function validate({ servers, publishPort, image, release }: DockerClusterOptions): void {
  if (!Number.isInteger(servers) || servers < 1 || servers > 9) {
    throw new InputError(`${servers} servers are no ensemble`, "expected 1 to 9 servers");
  }
  if (publishPort !== undefined && (publishPort < 1 || publishPort + servers - 1 > 65_535)) {
    throw new InputError(`no ${servers} ports begin at ${publishPort}`, "expected a port from 1 to 65535");
  }
  if ((image === undefined) === (release === undefined)) {
    throw new InputError("which ZooKeeper is to run?", "give either --release 3.9.5 or --image IMAGE");
  }
  if (typeof image === "object" && image.length !== servers) {
    throw new InputError(
      `${image.length} images for ${servers} servers`,
      "expected one image, or one a server",
    );
  }
}

/** One image a server, in their order. */
export async function imagesOf(
  engine: Engine,
  options: DockerClusterOptions,
  progress: Progress,
): Promise<readonly string[]> {
  const given = options.image ?? (await imageOfRelease(engine, options.release ?? "", progress));
  const images = typeof given === "string" ? Array.from({ length: options.servers }, () => given) : given;
  for (const each of new Set(images)) {
    if ((await labelsOfImage(engine, each)) === undefined) throw unknownImage(each);
  }
  return images;
}

export interface SideImage {
  readonly image: string;
  /** Undefined where it can do all that faults ask of it. */
  readonly lacks: string | undefined;
}

/** The image of the side containers: one with the tools, and if there is none, the server's own, without faults on packets. */
export async function sideImageOf(
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
