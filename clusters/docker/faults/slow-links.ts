import { OperationError } from "../../../model/index.ts";
import type { Fault, ServerName } from "../../fault.ts";
import { sideHost } from "../containers.ts";
import { toolText } from "../data-files.ts";
import type { Member } from "../member.ts";
import { openFilter } from "../packet-filter.ts";
import { tryOut } from "../try-out.ts";
import { type FaultEntry, type Mechanism, oneLine, type Place } from "./effect.ts";
import { packets, probeFilter } from "./packets.ts";

/** Each member's process of slow-links.pl, and what it was told. */
const running = new WeakMap<Member, { readonly pid: string; readonly words: string }>();

/**
 * What a server sends leaves it later, by slow-links.pl in its side container. Differs from netem, which is used
 * nowhere, also where the kernel has it: one way that works everywhere.
 */
export const slowLinks: Mechanism = {
  // The process, its device and its route are the container's.
  undo: (member) => [{ step: "remove", container: member.sideContainer }],
  async settle(member, inForce, { addressOf }) {
    const words = wordsOf(member.name, inForce, addressOf);
    const before = running.get(member);
    if ((before?.words ?? "") === words) return;
    if (before !== undefined) {
      running.delete(member);
      await member.side.run(`kill ${before.pid}`);
    }
    if (words !== "") running.set(member, { pid: await start(member, words), words });
  },
};

/** ADDRESS=MIN-MAX, one an address; delays on the same link add up. */
function wordsOf(
  from: ServerName,
  inForce: readonly Fault[],
  addressOf: (server: ServerName) => string,
): string {
  const delays = new Map<string, [min: number, max: number]>();
  for (const fault of inForce) {
    if (fault.kind !== "delay") continue;
    for (const [sender, to] of fault.links) {
      if (sender !== from) continue;
      const [min, max] = delays.get(addressOf(to)) ?? [0, 0];
      delays.set(addressOf(to), [min + fault.delayMs[0], max + fault.delayMs[1]]);
    }
  }
  return [...delays]
    .map(([address, [min, max]]) => `${address}=${Math.round(min)}-${Math.round(max)}`)
    .toSorted()
    .join(" ");
}

async function start(member: Member, words: string): Promise<string> {
  const log = "/tmp/slow-links";
  const { code, output } = await member.side.run(
    `rm -f ${log}; perl /zabcheck/slow-links.pl ${words} >${log} 2>&1 </dev/null & pid=$!
     for i in $(seq 200); do grep -q ready ${log} 2>/dev/null && break; kill -0 $pid 2>/dev/null || break; sleep 0.01; done
     grep -q ready ${log} && echo $pid || { cat ${log}; false; }`,
  );
  if (code === 0) return output.trim();
  throw new OperationError(
    "slow-links",
    `the links of ${member.name} could not be made slow: ${oneLine(output)}`,
    "leave `delay` out of --faults",
  );
}

export const delay: FaultEntry = {
  how: "a process beside the server holds packets on a TUN device",
  // First the process, then the marks that lead packets to it; undone likewise, and what it holds is still sent.
  mechanisms: [slowLinks, packets],
  needs: "slow-links",
  async probe(place: Place) {
    const filter = await probeFilter(place, { ...openFilter, slowTo: ["192.0.2.255"] });
    if (filter !== undefined) return filter;
    const { engine, labels, sideImage } = place;
    const script = `printf '%s' "$SLOW_LINKS" >/tmp/slow-links.pl; perl /tmp/slow-links.pl`;
    const env = [`SLOW_LINKS=${toolText("slow-links.pl")}`];
    const { code, output } = await tryOut(engine, labels, {
      image: sideImage,
      script,
      host: sideHost(true),
      env,
    });
    return code === 0 ? undefined : `packets cannot be held in user space here: ${oneLine(output)}`;
  },
};
