import type { ContainerCreateOptions, HostConfig } from "dockerode";
import type { ServerName } from "../fault.ts";
import { clientPort, jvmFlags } from "./configuration.ts";

/** What a member is made of. */
export interface MemberPlan {
  readonly name: ServerName;
  /** From 1: the number in myid. */
  readonly number: number;
  readonly run: string;
  readonly labels: Record<string, string>;
  readonly network: string;
  readonly address: string;
  readonly image: string;
  /** Has a shell, and iptables if faults on packets are wanted. */
  readonly sideImage: string;
  readonly jvmFlags: readonly string[];
  /** Further variables of the server's environment, "NAME=value". */
  readonly environment: readonly string[];
  /** Whom the server's container begins as; the image says so by default. */
  readonly user?: string;
  readonly memoryBytes: number;
  /** A port of this host that leads to the server, where containers' addresses are out of reach. */
  readonly publishedPort?: number;
  /** The block device of the data's own file system; without it, data lie on the Engine's. */
  readonly disk?: string;
  /** Whether slow-links.pl is to run in the side container. */
  readonly slowLinks: boolean;
}

/** The folders that a server writes, each a volume of its own: they outlive its container. */
export const folders = ["data", "datalog", "logs"] as const;

type Folder = (typeof folders)[number];

export function volumeOf({ run, name }: MemberPlan, folder: Folder): string {
  return `zabcheck-${run}-${name}-${folder}`;
}

interface VolumeMount {
  readonly Type: "volume";
  readonly Source: string;
  readonly Target: string;
  readonly VolumeOptions: never;
}

export function mountOf(plan: MemberPlan, folder: Folder): VolumeMount {
  const { labels, disk } = plan;
  const device = folder === "data" && disk !== undefined ? { type: "ext4", device: disk } : {};
  const options = { NoCopy: false, Labels: labels, DriverConfig: { Name: "local", Options: device } };
  return {
    Type: "volume",
    Source: volumeOf(plan, folder),
    Target: `/${folder}`,
    VolumeOptions: options as never,
  };
}

export function containerNames({ run, name, number }: MemberPlan): {
  readonly server: string;
  readonly side: string;
  readonly trace: string;
} {
  return {
    server: `zabcheck-${run}-${name}`,
    side: `zabcheck-${run}-side-${number}`,
    trace: `zabcheck-${run}-trace-${number}`,
  };
}

const tun = { PathOnHost: "/dev/net/tun", PathInContainer: "/dev/net/tun", CgroupPermissions: "rwm" };

/** What the side container may do to its network; with slow links also hold packets. */
export function sideHost(slowLinks: boolean): HostConfig {
  return { CapAdd: ["NET_ADMIN"], ...(slowLinks ? { Devices: [tun] } : {}) };
}

/** The container that owns the server's network namespace. */
export function sideOptions(plan: MemberPlan): ContainerCreateOptions {
  const ports = plan.publishedPort;
  return {
    name: containerNames(plan).side,
    Image: plan.sideImage,
    Entrypoint: ["sleep"],
    Cmd: ["infinity"],
    User: "0",
    Hostname: plan.name,
    Labels: { ...plan.labels, "zabcheck.role": "side", "zabcheck.server": plan.name },
    ExposedPorts: ports === undefined ? {} : { [`${clientPort}/tcp`]: {} },
    HostConfig: {
      ...sideHost(plan.slowLinks),
      NetworkMode: plan.network,
      // A disk of the server's own must not stay mounted here when the server is dead.
      Mounts: [mountOf(plan, "logs")],
      ...(ports === undefined
        ? {}
        : { PortBindings: { [`${clientPort}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: String(ports) }] } }),
    },
    NetworkingConfig: {
      EndpointsConfig: { [plan.network]: { IPAMConfig: { IPv4Address: plan.address } } },
    },
  };
}

/** The server's own container, in its side container's network. */
export function serverOptions(plan: MemberPlan, image: string): ContainerCreateOptions {
  return {
    name: containerNames(plan).server,
    Image: image,
    ...(plan.user === undefined ? {} : { User: plan.user }),
    Env: [
      `JVMFLAGS=${[...jvmFlags, ...plan.jvmFlags].join(" ")}`,
      "JMXDISABLE=true",
      `ZOO_MY_ID=${plan.number}`,
      ...plan.environment,
    ],
    Labels: { ...plan.labels, "zabcheck.role": "server", "zabcheck.server": plan.name },
    HostConfig: {
      NetworkMode: `container:${containerNames(plan).side}`,
      Mounts: folders.map((folder) => mountOf(plan, folder)),
      Memory: plan.memoryBytes,
      LogConfig: { Type: "json-file", Config: { "max-size": "64m", "max-file": "4" } },
    },
  };
}

/** What a container needs that traces a process of another. */
export const traceHost: HostConfig = { CapAdd: ["SYS_PTRACE"], SecurityOpt: ["apparmor=unconfined"] };

/** A container in the server's process-id namespace, which dies with the server. */
export function traceOptions(
  plan: MemberPlan,
  script: string,
  words: readonly string[],
): ContainerCreateOptions {
  const { server, trace } = containerNames(plan);
  return {
    name: trace,
    Image: plan.sideImage,
    Entrypoint: ["sh", "-c"],
    Cmd: [script, "trace", ...words],
    User: "0",
    Labels: { ...plan.labels, "zabcheck.role": "trace", "zabcheck.server": plan.name },
    HostConfig: { NetworkMode: "none", PidMode: `container:${server}`, ...traceHost },
  };
}
