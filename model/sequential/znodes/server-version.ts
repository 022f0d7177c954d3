import { InputError } from "../../errors.ts";

/** The points in which ZooKeeper's releases answer differently (read in the sources at the release tags). */
export interface ServerFeatures {
  /** "3.9.5" */
  readonly version: string;
  /** create answers with a Stat; containers, TTL nodes, removeWatches, reconfig exist (3.5). */
  readonly extendedOperations: boolean;
  /** addWatch and setWatches2 exist (3.6). */
  readonly persistentWatches: boolean;
  /** The transaction of a closed session lists the paths that it deletes (3.6). */
  readonly closeSessionListsPaths: boolean;
  /** delete checks the parent's ACL before it looks for the node: NoAuth rather than NoNode (3.6). */
  readonly deleteChecksAclFirst: boolean;
  /** Watch events carry their trigger's zxid (3.9, ZOOKEEPER-4655). */
  readonly eventZxids: boolean;
  /**
   * One-shot, persistent and recursive watches of a path live side by side (3.9, ZOOKEEPER-4466). Before, the last
   * registration replaced the mode of all, so that a getData with a watch ended a persistent watch.
   */
  readonly watchModesCoexist: boolean;
  /** exists and watch events ask for READ on the node (3.8.4, 3.9.2; CVE-2024-23944). */
  readonly eventsNeedRead: boolean;
  /** A version that wraps round skips -1 (3.10, ZOOKEEPER-4743). */
  readonly versionSkipsMinusOne: boolean;
}

/** What a release does. Throws InputError where `version` is no release number like "3.9.5". */
export function serverFeatures(version: string): ServerFeatures {
  const match = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(version);
  if (match === null) {
    throw new InputError(
      `"${version}" is no release of ZooKeeper`,
      "give it as three numbers with dots, such as 3.9.5",
    );
  }
  const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  const since = (m: number, p = 0): boolean =>
    major > 3 || (major === 3 && (minor > m || (minor === m && patch >= p)));
  return {
    version,
    extendedOperations: since(5),
    persistentWatches: since(6),
    closeSessionListsPaths: since(6),
    deleteChecksAclFirst: since(6),
    eventZxids: since(9),
    watchModesCoexist: since(9),
    eventsNeedRead: since(9, 2) || (major === 3 && minor === 8 && patch >= 4),
    versionSkipsMinusOne: since(10),
  };
}

export const latestFeatures: ServerFeatures = serverFeatures("3.9.5");
