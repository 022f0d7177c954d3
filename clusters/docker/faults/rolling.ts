import type { ServerName } from "../../fault.ts";
import { always, type Ensemble, type FaultEntry } from "./effect.ts";
import { repairWhereRefused, restart } from "./repair.ts";

/** One server after the other, each when the one before serves again, is repaired or has had its time. */
export const rollingRestart: FaultEntry = {
  how: "the Engine stops each container with SIGTERM and starts it",
  mechanisms: [],
  probe: always,
  async strike(fault, ensemble) {
    for (const server of "servers" in fault ? fault.servers : []) {
      if (!ensemble.inForce().includes(fault)) return;
      if (await restart(server, ensemble)) await repairWhereRefused(server, ensemble);
    }
  },
};

/** A rolling upgrade, or its opposite: to the other release, and back when it is undone. */
export const upgrade: FaultEntry = {
  how: "containers from another image on the same volumes",
  mechanisms: [],
  probe({ otherImage, releases }) {
    if (otherImage === undefined) {
      return Promise.resolve("there is no second release to go to: give --upgrade-to 3.9.5");
    }
    const old = releases.find((release) => release?.startsWith("3.4.") === true);
    if (old === undefined) return always();
    return Promise.resolve(
      `the files of ${old} are not those of later releases: it takes more than a restart`,
    );
  },
  async strike(fault, ensemble) {
    const { otherImage } = ensemble;
    if (!("servers" in fault) || otherImage === undefined) return;
    await roll(
      fault.servers,
      () => otherImage,
      ensemble,
      () => ensemble.inForce().includes(fault),
    );
  },
  async mend(fault, ensemble) {
    if (!("servers" in fault)) return;
    const roles = await ensemble.roles();
    const leaderLast = fault.servers.toSorted(
      (one, other) => Number(roles.get(one) === "leader") - Number(roles.get(other) === "leader"),
    );
    await roll(
      leaderLast,
      (server) => ensemble.member(server).plan.image,
      ensemble,
      () => true,
    );
  },
};

async function roll(
  servers: readonly ServerName[],
  imageOf: (server: ServerName) => string,
  ensemble: Ensemble,
  goesOn: () => boolean,
): Promise<void> {
  for (const server of servers) {
    if (!goesOn()) return;
    const image = imageOf(server);
    if (ensemble.member(server).image === image) continue;
    const started = await restart(server, ensemble, {
      meanwhile: (member) => member.replaceServer(image),
    });
    if (started) await repairWhereRefused(server, ensemble);
  }
}
