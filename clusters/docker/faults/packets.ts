import { sideHost } from "../containers.ts";
import { tryOut } from "../try-out.ts";
import { filterOf, filterPrograms, openFilter, type PacketFilter, tableOf } from "../packet-filter.ts";
import { type FaultEntry, type Mechanism, oneLine, type Place } from "./effect.ts";

/** Whose packets arrive. */
export const packets: Mechanism = {
  undo: (member) => [{ step: "open-network", container: member.sideContainer }],
  async settle(member, inForce, { addressOf }) {
    await member.setFilter(filterOf(member.name, inForce, addressOf));
  },
};

const address = "192.0.2.255";

export const partition: FaultEntry = entry("iptables beside the server drops what arrives", {
  ...openFilter,
  dropFrom: [address],
});
export const reset: FaultEntry = entry("iptables beside the server answers with resets", {
  ...openFilter,
  resetFrom: [address],
});
export const loss: FaultEntry = entry("iptables beside the server drops at random", {
  ...openFilter,
  loseFrom: [{ address, share: 0.5 }],
});

function entry(how: string, attempt: PacketFilter): FaultEntry {
  return { how, mechanisms: [packets], probe: (place) => probeFilter(place, attempt) };
}

/** Puts a filter in force beside nobody. */
export async function probeFilter(place: Place, attempt: PacketFilter): Promise<string | undefined> {
  if (place.sideLacks !== undefined) return place.sideLacks;
  const script = filterPrograms.map((program) => `printf '%s' "$TABLE" | ${program}`).join(" || ");
  const env = [`TABLE=${tableOf(attempt)}`];
  const host = sideHost(false);
  const { engine, labels, sideImage } = place;
  const { code, output } = await tryOut(engine, labels, { image: sideImage, script, host, env });
  if (code === 0) return undefined;
  return `iptables works in no container here, neither by nftables nor by the old tables: ${oneLine(output)}`;
}
