import { disabled, type Action } from "../specification/index.ts";
import { discard, head, type MessageType } from "./messages.ts";
import { violate, zab, type Zab } from "./state.ts";
import type { Constants } from "./constants.ts";

const toLeaders: readonly MessageType[] = ["CEPOCH", "ACKEPOCH", "ACKLD", "ACK"];

/** A message that its receiver can never process. Not part of the protocol: it must never be enabled. */
export function redundantMessages({ eachPair }: Constants): Action<Zab>[] {
  const FilterNonexistentMessage = zab.action("FilterNonexistentMessage", eachPair, (now, next, i, j) => {
    const msg = head(now, j, i);
    if (msg === null) return disabled;
    const role = now.role[i];
    const toLeader = toLeaders.includes(msg.mtype);
    if (role === "LEADING" && toLeader && now.learners[i].has(j)) return disabled;
    if (role === "FOLLOWING" && !toLeader && now.connectInfo[i] === j) return disabled;
    discard(next, j, i);
    violate(now, next, "messageIllegal");
  });

  return [FilterNonexistentMessage];
}
