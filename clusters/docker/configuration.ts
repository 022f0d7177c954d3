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

/** The text of zoo.cfg, the same on every server. One server alone is no ensemble and gets no `server.` lines. */
export function configurationOf(addresses: readonly string[], settings: Settings): string {
  const lines = Object.entries({ ...forTests, ...settings }).map(([name, value]) => `${name}=${value}`);
  if (addresses.length > 1) {
    addresses.forEach((address, i) =>
      lines.push(`server.${i + 1}=${address}:${learnerPort}:${electionPort}`),
    );
  }
  return `${lines.join("\n")}\n`;
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
