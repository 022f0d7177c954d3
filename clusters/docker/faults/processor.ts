import type { Member } from "../member.ts";
import { type FaultEntry, hits, type Mechanism } from "./effect.ts";

const limits = new WeakMap<Member, number>();

/** How much of a processor the server's container may use, by the kernel's quota. */
export const processor: Mechanism = {
  undo: (member) => [{ step: "unlimit", container: member.serverContainer }],
  async settle(member, inForce) {
    const shares = hits(member.name, inForce, "starve").map((fault) =>
      fault.kind === "starve" ? fault.share : 1,
    );
    const share = shares.length === 0 ? undefined : Math.min(...shares);
    if (limits.get(member) === share) return;
    await member.limitProcessor(share);
    if (share === undefined) limits.delete(member);
    else limits.set(member, share);
  },
};

export const starve: FaultEntry = {
  how: "the kernel's quota of processor time for the container",
  mechanisms: [processor],
  async probe({ engine }) {
    const { CpuCfsQuota } = (await engine.info()) as { CpuCfsQuota?: boolean };
    return CpuCfsQuota === true ? undefined : "the Docker host's kernel knows no quotas of processor time";
  },
};
