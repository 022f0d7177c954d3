/** The ports of every server, as in the official image. */
export const clientPort = 2181;
const learnerPort = 2888;
const electionPort = 3888;

/** Further settings, by the names of zoo.cfg; they win over what stands here. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/**
 * For tests: a deposed leader is noticed within `syncLimit` ticks (2 s) and replaced within about 1.4 s. Files are
 * preallocated by 64 KiB only, so that a run's data can be kept.
 * Names that zoo.cfg does not know become system properties with the prefix "zookeeper.", in every release.
 */
const forTests: Settings = {
  tickTime: 200,
  initLimit: 25,
  syncLimit: 10,
  minSessionTimeout: 400,
  maxSessionTimeout: 60_000,
  maxClientCnxns: 0,
  dataDir: "/data",
  dataLogDir: "/datalog",
  clientPort,
  "admin.enableServer": false,
  "4lw.commands.whitelist": "*",
  preAllocSize: 64,
  extendedTypesEnabled: true,
  cnxTimeout: 1000,
  "fastleader.maxNotificationInterval": 1000,
};

export type PeerType = "participant" | "observer";

/** A server as zoo.cfg names it. */
export interface Peer {
  /** From 1. */
  readonly number: number;
  readonly address: string;
  readonly type: PeerType;
}

/** The line of one server with its client port, as reconfig wants it (3.5 and later). */
export function memberLine(number: number, address: string, type: PeerType): string {
  return `server.${number}=${address}:${learnerPort}:${electionPort}:${type};0.0.0.0:${clientPort}`;
}

function textOf(settings: Settings): readonly string[] {
  return Object.entries(settings).map(([name, value]) => `${name}=${value}`);
}

/**
 * The text of zoo.cfg, the same on every server but for `peerType`, which an observer needs. One server alone is no
 * ensemble and gets no `server.` lines.
 */
export function configurationOf(
  peers: readonly Peer[],
  settings: Settings,
  own: PeerType = "participant",
): string {
  const lines = [...textOf({ ...forTests, ...settings })];
  if (own === "observer") lines.push("peerType=observer");
  if (peers.length > 1) {
    for (const { number, address, type } of peers) {
      const suffix = type === "observer" ? ":observer" : "";
      lines.push(`server.${number}=${address}:${learnerPort}:${electionPort}${suffix}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/**
 * The same as files by path for an ensemble whose members change: they stand in a file of their own, which servers
 * write anew. On a volume, as it must outlive the container.
 */
export function dynamicConfigurationOf(
  peers: readonly Peer[],
  settings: Settings,
  own: PeerType = "participant",
): Record<string, string> {
  const { clientPort: _, ...fixed } = { ...forTests, ...settings };
  const lines = textOf({
    ...fixed,
    ...(own === "observer" ? { peerType: own } : {}),
    reconfigEnabled: true,
    standaloneEnabled: false,
    skipACL: "yes",
    dynamicConfigFile: "/data/members",
  });
  const members = peers.map(({ number, address, type }) => memberLine(number, address, type));
  return { "conf/zoo.cfg": `${lines.join("\n")}\n`, "data/members": `${members.join("\n")}\n` };
}

/**
 * For the server's JVM. Several JVMs share few cores here and live for minutes: the serial collector and the first
 * compiler alone start a quorum sooner and leave more to the workload.
 */
export const jvmFlags: readonly string[] = [
  "-Xmx256m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Dznode.container.checkIntervalMs=1000",
];
