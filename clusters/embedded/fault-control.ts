import { OperationError } from "../../model/index.ts";
import type { AppliedFault } from "../cluster.ts";
import { refuseDamage, refuseDamageOf } from "../disk-rules.ts";
import { type Fault, type FaultKind, linksOf, serversOf, type ServerName } from "../fault.ts";
import type { EmbeddedEnsemble } from "./ensemble.ts";
import type { Weather } from "./network.ts";
import type { Conditions, EmbeddedServer } from "./server.ts";

/** What an event costs a server that has a whole processor, in ns; a starved one takes as much longer as it has less. */
const eventNs = 50_000;
/** How long a rolling restart waits for one server. */
const servingMsMax = 15_000;
const pollMs = 10;

/** Why some kinds of fault are none of this ensemble's; undefined for the others. */
export function refusal(kind: FaultKind, voters: number): string | undefined {
  switch (kind) {
    case "upgrade":
      return "the embedded ensemble is of one release only";
    case "reconfig":
      return "the embedded ensemble runs Zab as in DSN 2011, whose ensemble is fixed";
    case "damage":
      return refuseDamageOf(voters);
    default:
      return undefined;
  }
}

/** The faults of an embedded ensemble: its world is made as those in force want it. */
export class EmbeddedFaults {
  readonly #ensemble: EmbeddedEnsemble;
  readonly #inForce: Set<Fault> = new Set();
  #stopped = false;

  constructor(ensemble: EmbeddedEnsemble) {
    this.#ensemble = ensemble;
  }

  /** The servers that need not serve. */
  touched(): ReadonlySet<ServerName> {
    return new Set([...this.#inForce].flatMap(serversOf));
  }

  async apply(wanted: Fault): Promise<AppliedFault> {
    // A copy: two equal faults are two, and each is undone for itself.
    const fault: Fault = { ...wanted };
    if (fault.kind === "damage") this.#refuseDamage(fault);
    this.#inForce.add(fault);
    if (fault.kind === "damage") this.#damage(fault);
    this.#enforce();
    if (fault.kind === "rolling-restart") await this.#roll(fault);
    return {
      fault,
      undo: async () => {
        if (this.#inForce.delete(fault)) this.#undone(fault);
      },
    };
  }

  heal(): void {
    const faults = [...this.#inForce];
    this.#inForce.clear();
    for (const fault of faults.toReversed()) this.#undone(fault);
  }

  stop(): void {
    this.#stopped = true;
    this.#inForce.clear();
  }

  #undone(fault: Fault): void {
    if (fault.kind === "damage") for (const name of fault.servers) this.#server(name).mendLog();
    this.#enforce();
  }

  #refuseDamage(fault: Extract<Fault, { kind: "damage" }>): void {
    const { servers, settings } = this.#ensemble;
    const voters = servers.slice(0, settings.voters).map(({ name }) => name);
    const roles = new Map(servers.map(({ name, role }) => [name, role]));
    const reason = refuseDamage(fault, voters, [...this.#inForce], roles);
    if (reason === undefined) return;
    throw new OperationError("fault", `no damage now: ${reason}`, "heal the faults before");
  }

  #damage(fault: Extract<Fault, { kind: "damage" }>): void {
    for (const name of fault.servers) {
      const server = this.#server(name);
      server.crash();
      server.damageLog(fault.damage);
    }
  }

  /** One after the other, each when the one before serves again or has had its time. */
  async #roll(fault: Extract<Fault, { kind: "rolling-restart" }>): Promise<void> {
    const { world } = this.#ensemble;
    for (const name of fault.servers) {
      if (!this.#inForce.has(fault) || this.#stopped) return;
      const server = this.#server(name);
      if (!server.isUp || server.host.paused) continue;
      server.crash();
      this.#enforce();
      const deadline = world.now() + servingMsMax * 1e6;
      while (server.role === "none" && world.now() < deadline && this.#inForce.has(fault)) {
        await world.sleep(pollMs);
      }
    }
  }

  #server(name: ServerName): EmbeddedServer {
    return this.#ensemble.servers.find((server) => server.name === name) as EmbeddedServer;
  }

  /** Makes the world as the faults in force want it. */
  #enforce(): void {
    if (this.#stopped) return;
    const { servers, route, world } = this.#ensemble;
    const inForce = [...this.#inForce];
    for (const server of servers) {
      for (const other of servers) {
        if (other !== server)
          route(server.id, other.id).setWeather(weather(server.name, other.name, inForce));
      }
      const hits = (kind: FaultKind): boolean => hitting(server.name, inForce, kind).length > 0;
      server.setConditions(conditions(server.name, inForce));
      const starved = starvedNs(server.name, inForce);
      if (starved !== server.host.eventNs) world.starve(server.host, starved);
      const [killed, unpowered] = [hits("kill"), hits("power-cut")];
      if (killed || unpowered) server.crash(unpowered ? "power" : "killed");
      if (hits("pause")) server.host.paused = true;
      else if (server.host.paused) world.resume(server.host);
      if (!killed && !unpowered && !server.isUp && server.isSound && server.wasBooted) server.boot();
    }
    this.#ensemble.settleSteps();
  }
}

function hitting<K extends FaultKind>(
  server: ServerName,
  inForce: readonly Fault[],
  kind: K,
): readonly Extract<Fault, { kind: K }>[] {
  return inForce.filter(
    (fault): fault is Extract<Fault, { kind: K }> =>
      fault.kind === kind && "servers" in fault && fault.servers.includes(server),
  );
}

/** Of two losses on one link both take their share; delays add up; a cut is more than a reset. */
function weather(from: ServerName, to: ServerName, inForce: readonly Fault[]): Weather {
  let way: Weather["way"] = "open";
  let passing = 1;
  let [min, max] = [0, 0];
  for (const fault of inForce) {
    if (!linksOf(fault).some(([sender, receiver]) => sender === from && receiver === to)) continue;
    if (fault.kind === "partition") way = "cut";
    else if (fault.kind === "reset" && way === "open") way = "resets";
    else if (fault.kind === "loss") passing *= 1 - fault.share;
    else if (fault.kind === "delay") [min, max] = [min + fault.delayMs[0], max + fault.delayMs[1]];
  }
  return { way, loss: 1 - passing, delayMs: [min, max] };
}

function conditions(server: ServerName, inForce: readonly Fault[]): Conditions {
  const fails = [...hitting(server, inForce, "disk-error"), ...hitting(server, inForce, "disk-full")];
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    disk: fails.length > 0 ? "failing" : "well",
    slowDiskMs: sum(hitting(server, inForce, "slow-disk").map(({ delayMs }) => delayMs)),
    clockOffsetMs: sum(hitting(server, inForce, "clock").map(({ offsetMs }) => offsetMs)),
    clockRate: hitting(server, inForce, "clock-rate").reduce((product, { rate }) => product * rate, 1),
  };
}

function starvedNs(server: ServerName, inForce: readonly Fault[]): number {
  const shares = hitting(server, inForce, "starve").map(({ share }) => share);
  return shares.length === 0 ? 0 : Math.round(eventNs / Math.max(0.001, Math.min(...shares)));
}
