import { byteLength, noOwner, parentPath, type SubRequest, type Zxid } from "../../model/index.ts";
import type { Mention, MentionGroup } from "./mentions.ts";
import { type Candidate, createsPath, type Unanswered } from "./unanswered.ts";

/*
 * What an unanswered write can explain of what was seen, and how likely it is to.
 */

/** Whether the request can have created the node, with that data where it is known. */
export function mayCreate(request: SubRequest, path: string, data: string | null | undefined): boolean {
  return (
    createsPath(request, path) && request.op === "create" && (data === undefined || request.data === data)
  );
}

/** Whether the transaction would be seen as the mention has it. */
export function explains(candidate: Candidate, mention: Mention): boolean {
  const { type, path } = mention;
  return candidate.requests.some((request) => {
    if (type === "created") {
      if (!createsPath(request, path) || request.op !== "create") return false;
      const owner = request.mode.startsWith("ephemeral") ? candidate.step.session : noOwner;
      return showsData(request, mention) && (mention.owner === undefined || mention.owner === owner);
    }
    if (type === "data")
      return request.op === "setData" && request.path === path && showsData(request, mention);
    if (type === "deleted") return request.op === "delete" && request.path === path;
    return (request.op === "create" || request.op === "delete") && parentPath(request.path) === path;
  });
}

function showsData(request: { readonly data: string | null }, { data, dataLength }: Mention): boolean {
  if (data !== undefined) return request.data === data;
  return dataLength === undefined || byteLength(request.data) === dataLength;
}

/** Those that fit nowhere else come first, those that would overtake a later write of their session last. */
export function rank(candidate: Candidate, since: Zxid, path: string): number {
  if (candidate.below <= since) return 2;
  const bound = candidate.requests.some(
    (part) => part.path === path && "version" in part && part.version !== -1,
  );
  return bound ? 0 : 1;
}

/** The candidates whose data somebody read, with the zxid at which it was written. */
export function reservedCandidates(
  groups: readonly MentionGroup[],
  unanswered: Unanswered,
): ReadonlyMap<Candidate, Zxid> {
  const reserved = new Map<Candidate, Zxid>();
  for (const { zxid, mentions } of groups) {
    for (const mention of mentions) {
      const { type, path, data, seenAt } = mention;
      if (data === undefined || (type !== "created" && type !== "data")) continue;
      const kind = type === "created" ? "create" : "setData";
      const writers = unanswered
        .find(kind, path, zxid, seenAt)
        .filter((candidate) => explains(candidate, mention));
      const [only] = writers;
      if (only !== undefined && writers.length === 1) reserved.set(only, zxid);
    }
  }
  return reserved;
}
