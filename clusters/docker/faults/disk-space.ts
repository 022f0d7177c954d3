import type { Member } from "../member.ts";
import { hits, type Mechanism } from "./effect.ts";

const full = new WeakSet<Member>();

/** No block of the server's disk is free, or those are that were before. */
export const diskSpace: Mechanism = {
  // The disk goes with its keeper.
  undo: () => [],
  async settle(member, inForce, { disks }) {
    const isFull = hits(member.name, inForce, "disk-full").length > 0;
    if (disks === undefined || isFull === full.has(member)) return;
    if (isFull) {
      full.add(member);
      await disks.fill(member.name);
    } else {
      await disks.empty(member.name);
      full.delete(member);
    }
  },
};
