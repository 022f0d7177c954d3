import type { ZnodeRequest } from "../../model/index.ts";
import type { Client, Cluster, Fault, ServerName, SessionCredentials } from "../cluster.ts";
import { Random } from "./random.ts";

/** For tests: a fault at a time, in ms since the workload began. */
export interface TimedFault {
  readonly atMs: number;
  readonly holdMs: number;
  readonly fault: Fault;
}

export interface DriveOptions {
  readonly seed: number;
  readonly clients: number;
  readonly durationMs: number;
  /** Between two requests of a client. */
  readonly pauseMs: readonly [number, number];
  readonly keys: number;
  readonly faults: readonly TimedFault[];
}

/** For tests: a register workload under faults, as the harness runs one. Returns what happened, a line an event. */
export async function drive(cluster: Cluster, options: DriveOptions): Promise<string[]> {
  const lines: string[] = [];
  const end = cluster.clock.now() + options.durationMs * 1e6;
  const began = cluster.clock.now();
  const record = (...parts: unknown[]): void => {
    lines.push(JSON.stringify([cluster.clock.now() - began, ...parts]));
  };
  const work = Array.from({ length: options.clients }, (_, process) =>
    runClient(cluster, options, process, end, record),
  );
  const injected = options.faults.map(async ({ atMs, holdMs, fault }) => {
    await cluster.clock.sleep(atMs);
    const applied = await cluster.apply(fault);
    record("faults", "apply", fault);
    await cluster.clock.sleep(holdMs);
    await applied.undo();
    record("faults", "undo", fault);
  });
  await Promise.all([...work, ...injected]);
  await cluster.heal();
  await cluster.awaitQuorum(60_000);
  return lines;
}

async function runClient(
  cluster: Cluster,
  options: DriveOptions,
  process: number,
  end: number,
  record: (...parts: unknown[]) => void,
): Promise<void> {
  const random = new Random(`${options.seed}/client ${process}`);
  let resume: SessionCredentials | undefined;
  while (cluster.clock.now() < end) {
    const server = cluster.servers[random.below(cluster.servers.length)] as ServerName;
    const result = await cluster.connect({
      server,
      sessionTimeoutMs: 4000,
      connectTimeoutMs: 500,
      requestTimeoutMs: 1500,
      onEvent: (event) => record(process, "event", event),
      ...(resume === undefined ? {} : { resume }),
    });
    record(process, server, result.connected ? "connected" : result.failure);
    if (!result.connected) {
      if (result.failure === "expired") resume = undefined;
      await cluster.clock.sleep(random.between(10, 100));
      continue;
    }
    await runSession(cluster, options, result.client, random, process, end, record);
    resume = result.client.credentials;
    result.client.disconnect();
  }
}

async function runSession(
  cluster: Cluster,
  options: DriveOptions,
  client: Client,
  random: Random,
  process: number,
  end: number,
  record: (...parts: unknown[]) => void,
): Promise<void> {
  const [min, max] = options.pauseMs;
  for (let i = 0; client.connected && cluster.clock.now() < end; i++) {
    const request = draw(random, options.keys, `${process} ${cluster.clock.now()}`);
    record(process, "invoke", request);
    const outcome = await client.request(request);
    record(process, outcome.outcome, outcome.outcome === "answered" ? outcome.answer : outcome.reason);
    // Now and then a client moves of its own accord.
    if (random.chance(0.02)) return;
    await cluster.clock.sleep(random.between(min * 1000, max * 1000) / 1000);
  }
}

function draw(random: Random, keys: number, value: string): ZnodeRequest {
  const path = `/key-${random.below(keys)}`;
  switch (random.below(8)) {
    case 0:
      return { op: "create", path, data: value, mode: random.chance(0.5) ? "persistent" : "ephemeral" };
    case 1:
      return { op: "delete", path, version: -1 };
    case 2:
      return { op: "sync", path };
    case 3:
      return { op: "exists", path, watch: true };
    case 4:
    case 5:
      return { op: "getData", path };
    default:
      return { op: "setData", path, data: value, version: -1 };
  }
}

/** Faults as a schedule might draw them: of every kind, and partitions of every shape, overlapping now and then. */
export function drawFaults(random: Random, servers: readonly ServerName[], durationMs: number): TimedFault[] {
  const faults: TimedFault[] = [];
  for (let atMs = random.between(200, 1500); atMs < durationMs; atMs += random.between(500, 6000)) {
    const holdMs = random.between(300, 5000);
    faults.push({ atMs, holdMs, fault: drawFault(random, servers) });
  }
  return faults;
}

/** The classic three take half of the turns. Damaged logs are none: ZAB does not stand them in whatever state. */
function drawFault(random: Random, servers: readonly ServerName[]): Fault {
  const kind = random.below(18);
  const some = servers.filter(() => random.chance(0.4));
  const chosen = some.length === 0 ? [servers[random.below(servers.length)] as ServerName] : some;
  const pairs = servers.flatMap((a) => servers.filter((b) => b !== a).map((b) => [a, b] as const));
  const links = pairs.filter(() => random.chance(0.5));
  if (kind < 2) return { kind: "kill", servers: random.chance(0.2) ? servers : chosen };
  if (kind < 4) return { kind: "pause", servers: chosen };
  switch (kind) {
    case 4:
      return { kind: "power-cut", servers: random.chance(0.3) ? servers : chosen };
    case 5:
      return { kind: "loss", links, share: random.between(5, 80) / 100 };
    case 6:
      return { kind: "delay", links, delayMs: [random.between(0, 100), random.between(100, 800)] };
    case 7:
      return { kind: "reset", links };
    case 8:
      return { kind: "starve", servers: chosen, share: random.between(1, 20) / 100 };
    case 9:
      return { kind: "disk-full", servers: chosen };
    case 10:
      return { kind: "disk-error", servers: chosen, operation: "fsync" };
    case 11:
      return { kind: "slow-disk", servers: chosen, delayMs: random.between(10, 500) };
    case 12:
      return { kind: "clock", servers: chosen, offsetMs: random.between(-1e7, 1e7) };
    case 13:
      return { kind: "clock-rate", servers: chosen, rate: random.between(50, 150) / 100 };
    case 14:
      return { kind: "rolling-restart", servers: chosen };
  }
  const cuts = pairs.filter(([a, b]) =>
    kind === 15 ? chosen.includes(a) !== chosen.includes(b) : random.chance(0.3),
  );
  return { kind: "partition", cuts };
}
