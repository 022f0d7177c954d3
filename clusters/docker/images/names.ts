import { InputError } from "../../../model/index.ts";

/** What the images made here are called. None carries `zabcheck.run`: no sweep touches them. */
export const baseImageTag = "zabcheck/base:bookworm";

/** On the base image and on what was built from it: it holds the tools that faults need (iptables, ip, strace). */
export const toolsLabel = "zabcheck.tools";

/** On every image made here. */
export const madeByLabel = "zabcheck.image";

/** The release that an image holds, "3.9.4". */
export const releaseLabel = "zabcheck.release";

export function ownImageTag(release: string): string {
  return `zabcheck/zookeeper:${release}`;
}

export function officialImageTag(release: string): string {
  return `zookeeper:${release}`;
}

/** The release that an image's name tells, as the official ones do ("zookeeper:3.9.4", also behind a registry's name). */
export function releaseOfTag(image: string): string | undefined {
  return /(?:^|\/)zookeeper:(3\.\d+\.\d+)/.exec(image)?.[1];
}

/** Returns the release, or throws InputError where it does not look like one of ZooKeeper's ("3.9.4", "3.5.3-beta"). */
export function parseRelease(text: string): string {
  if (/^3\.\d{1,2}\.\d{1,2}(-[a-zA-Z0-9][a-zA-Z0-9.-]{0,40})?$/.test(text)) return text;
  throw new InputError(`'${text}' is no release of ZooKeeper`, "expected three numbers, such as 3.9.4");
}
