import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { InputError, OperationError } from "../../model/index.ts";
import { type Engine, engineFailure, reasonOf } from "./engine.ts";

/** A range of IPv4 addresses: its first address as a number, and how many leading bits are fixed. */
export interface Subnet {
  readonly first: number;
  readonly bits: number;
}

/** Reads "10.1.2.0/24"; undefined where it is none. Bits behind the prefix are cleared. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number];
  if (Math.max(a, b, c, d) > 255 || bits > 32) return undefined;
  return { first: ((a << 24) | (b << 16) | (c << 8) | d) & maskOf(bits), bits };
}

/** The address at a position in a subnet: 1 is the gateway's, 2 the first server's. */
export function addressIn(subnet: Subnet, position: number): string {
  const address = (subnet.first + position) >>> 0;
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

export function showSubnet(subnet: Subnet): string {
  return `${addressIn(subnet, 0)}/${subnet.bits}`;
}

export function overlap(a: Subnet, b: Subnet): boolean {
  const mask = maskOf(Math.min(a.bits, b.bits));
  return ((a.first ^ b.first) & mask) === 0;
}

function maskOf(bits: number): number {
  return bits === 0 ? 0 : -1 << (32 - bits);
}

/** Private ranges from which a run's network is taken, in this order; the last is for benchmarks (RFC 2544). */
const pools = ["10.199.0.0/16", "172.30.0.0/16", "192.168.0.0/16", "198.18.0.0/15"].map((pool) =>
  parseSubnet(pool)!,
);

/** Room for 60 servers. */
const networkBits = 26;

/**
 * The subnets that overlap nothing that is in use, beginning anywhere in the first pool with a free one, so that runs
 * that start together rarely want the same.
 */
export function* freeSubnets(used: readonly Subnet[], start: number): Generator<Subnet> {
  const size = 2 ** (32 - networkBits);
  for (const pool of pools) {
    const count = 2 ** (networkBits - pool.bits);
    for (let i = 0; i < count; i++) {
      const subnet = { first: (pool.first + ((start + i) % count) * size) | 0, bits: networkBits };
      if (!used.some((other) => overlap(subnet, other))) yield subnet;
    }
  }
}

/** The ranges that this machine routes somewhere already (a VPN, a company's network). The default route says nothing. */
export function routedSubnets(): readonly Subnet[] {
  const interfaces = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family }) => family === "IPv4")
    .map(({ cidr }) => parseSubnet(cidr ?? ""));
  let table = "";
  try {
    table = readFileSync("/proc/net/route", "utf8");
  } catch {
    // Not Linux: the interfaces have to do.
  }
  return [...interfaces, ...parseRoutes(table)].filter(
    (subnet) => subnet !== undefined && subnet.bits > 0,
  ) as Subnet[];
}

/** Reads /proc/net/route, whose numbers are in the machine's byte order, little-endian wherever Node runs. */
export function parseRoutes(table: string): readonly Subnet[] {
  const swapped = (hex: string): number => Buffer.from(hex, "hex").readInt32LE(0);
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 8)
    .map((fields) => {
      const mask = swapped(fields[7]!);
      return { first: swapped(fields[1]!) & mask, bits: mask === 0 ? 0 : 32 - Math.log2((~mask >>> 0) + 1) };
    });
}

const attemptsMax = 64;

export interface NetworkOptions {
  readonly name: string;
  readonly labels: Record<string, string>;
  /** "10.1.2.0/24": this one and no other. */
  readonly subnet?: string;
  /** No way out of it, nor in but from this host. */
  readonly internal: boolean;
}

/**
 * Makes a bridge network on a subnet that clashes with no route and no other network.
 * Throws InputError for a subnet that is none, OperationError "subnet" where the wanted one, or every one, is taken.
 */
export async function createNetwork(
  engine: Engine,
  options: NetworkOptions,
): Promise<{ id: string; subnet: Subnet }> {
  const used = [...routedSubnets(), ...(await engineSubnets(engine))];
  const candidates =
    options.subnet === undefined ? freeSubnets(used, randomInt(2 ** 16)) : [wanted(options.subnet, used)];
  let attempts = 0;
  for (const subnet of candidates) {
    try {
      return { id: await create(engine, options, subnet), subnet };
    } catch (error) {
      attempts += 1;
      // Somebody else took it between our look and our wish.
      if (!/overlap|already in use|address space/i.test(reasonOf(error)) || attempts === attemptsMax) {
        throw engineFailure("make the run's network", error);
      }
    }
  }
  throw new OperationError(
    "subnet",
    options.subnet === undefined
      ? "every private subnet that a run could use overlaps a route or a network of this machine"
      : `the subnet ${options.subnet} overlaps a network that was made just now`,
    "remove networks that nobody uses: `docker network prune`",
  );
}

function wanted(text: string, used: readonly Subnet[]): Subnet {
  const subnet = parseSubnet(text);
  if (subnet === undefined || subnet.bits < 8 || subnet.bits > 28) {
    throw new InputError(
      `'${text}' is no subnet for a run`,
      "expected an IPv4 range of /8 to /28, such as 10.77.0.0/24",
    );
  }
  const clash = used.find((other) => overlap(subnet, other));
  if (clash === undefined) return subnet;
  throw new OperationError(
    "subnet",
    `the subnet ${text} overlaps ${showSubnet(clash)}, which this machine or another Docker network uses`,
    "choose another, or none: a free one is found",
  );
}

async function create(engine: Engine, options: NetworkOptions, subnet: Subnet): Promise<string> {
  const network = await engine.createNetwork({
    Name: options.name,
    Driver: "bridge",
    Internal: options.internal,
    Labels: options.labels,
    IPAM: { Driver: "default", Config: [{ Subnet: showSubnet(subnet), Gateway: addressIn(subnet, 1) }] },
  });
  return network.id;
}

async function engineSubnets(engine: Engine): Promise<readonly Subnet[]> {
  const networks = await engine.listNetworks().catch((error: unknown) => {
    throw engineFailure("list its networks", error);
  });
  return networks
    .flatMap((network) => network.IPAM?.Config ?? [])
    .map((config) => parseSubnet(config.Subnet ?? ""))
    .filter((subnet) => subnet !== undefined);
}
