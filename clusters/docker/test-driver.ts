import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ZnodeAnswer, ZnodeRequest } from "../../model/index.ts";
import type { Client } from "../cluster.ts";
import type { ServerName } from "../fault.ts";
import type { DockerCluster } from "./docker-cluster.ts";
import { connectEngine } from "./engine.ts";
import { Shell } from "./shell.ts";
import { runLabel } from "./sweep.ts";

/** For tests: what an ensemble's containers are like inside, and what its clients see. */

/** Runs a command as root in the server's container, or in the one beside it, and returns what it printed. */
export async function inside(
  cluster: DockerCluster,
  server: ServerName,
  where: "server" | "side" | "disks",
  command: string,
): Promise<string> {
  const number = Number(server.slice("server-".length));
  const names = { server: server, side: `side-${number}`, disks: "disks" };
  const shell = await Shell.open(await connectEngine(), `zabcheck-${cluster.run}-${names[where]}`);
  try {
    return (await shell.run(command, "", 30_000)).output.trim();
  } finally {
    shell.close();
  }
}

/** A session at a server, or at the first that gives one. */
export async function connect(cluster: DockerCluster, server?: ServerName): Promise<Client> {
  let reason = "";
  for (let attempt = 0; attempt < 300; attempt++) {
    const at = server ?? cluster.servers[attempt % cluster.servers.length]!;
    const result = await cluster.connect({ server: at, sessionTimeoutMs: 10_000, connectTimeoutMs: 1_000 });
    if (result.connected) return result.client;
    reason = `${at}: ${result.reason}`;
    await sleep(50);
  }
  throw new Error(`no session: ${reason}`);
}

export async function ask(client: Client, request: ZnodeRequest): Promise<ZnodeAnswer> {
  const outcome = await client.request(request);
  if (outcome.outcome !== "answered") throw new Error(`${request.op}: ${outcome.outcome}: ${outcome.reason}`);
  return outcome.answer;
}

/**
 * Writes through a session of its own, creating the znode if need be, and again as long as the answer is lost. Returns
 * how long the one took that was answered, in ms.
 */
export async function write(cluster: DockerCluster, path: string, data: string): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const client = await connect(cluster);
    const from = performance.now();
    let outcome = await client.request({ op: "create", path, data, mode: "persistent" });
    if (outcome.outcome === "answered" && outcome.answer.error === "NodeExists") {
      outcome = await client.request({ op: "setData", path, data, version: -1 });
    }
    const tookMs = performance.now() - from;
    client.disconnect();
    if (outcome.outcome === "answered" && outcome.answer.error === null) return tookMs;
    await sleep(100);
  }
  throw new Error(`no write to ${path} was acknowledged`);
}

/** What a server shows once it has caught up; null where there is no such znode. */
export async function read(cluster: DockerCluster, path: string, at: ServerName): Promise<string | null> {
  const client = await connect(cluster, at);
  await ask(client, { op: "sync", path });
  const answer = await ask(client, { op: "getData", path });
  client.disconnect();
  return answer.error === null ? (answer.result.data ?? null) : null;
}

/** The numbers of the servers that the ensemble's configuration names. */
export async function membersOf(cluster: DockerCluster): Promise<string> {
  const client = await connect(cluster);
  const answer = await ask(client, { op: "getData", path: "/zookeeper/config" });
  client.disconnect();
  const text = answer.error === null ? (answer.result.data ?? "") : "";
  return [...text.matchAll(/^server\.(\d+)=/gm)].map(([, number]) => number).join(" ");
}

export async function leaderOf(cluster: DockerCluster): Promise<ServerName> {
  const leader = [...(await cluster.roles())].find(([, role]) => role === "leader" || role === "standalone");
  if (leader === undefined) throw new Error("nobody leads");
  return leader[0];
}

export async function followerOf(cluster: DockerCluster): Promise<ServerName> {
  const follower = [...(await cluster.roles())].find(([, role]) => role === "follower");
  if (follower === undefined) throw new Error("nobody follows");
  return follower[0];
}

/** Asks again until it is so. */
export async function until(isSo: () => Promise<boolean>, what: string, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`no ${what} within ${timeoutMs} ms`);
    await sleep(50);
  }
}

export async function logOf(cluster: DockerCluster, server: ServerName): Promise<string> {
  const container = (await connectEngine()).getContainer(`zabcheck-${cluster.run}-${server}`);
  return String(await container.logs({ stdout: true, stderr: true }));
}

/** The ids of a run's containers that run. */
export async function containersOf(run: string): Promise<readonly string[]> {
  const filters = { label: [`${runLabel}=${run}`] };
  return (await (await connectEngine()).listContainers({ filters })).map(({ Id }) => Id);
}

/** What a run has left on this machine, where the Engine is on it: loop devices, mounts, and processes of its containers. */
export function tracesOf(run: string, containers: readonly string[]): readonly string[] {
  const traces: string[] = [];
  for (const device of readdirSync("/sys/block").filter((name) => name.startsWith("loop"))) {
    const file = textOf(`/sys/block/${device}/loop/backing_file`);
    if (file.includes(run)) traces.push(`${device}: ${file.trim()}`);
  }
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const cgroup = textOf(`/proc/${pid}/cgroup`);
    if (containers.some((id) => cgroup.includes(id))) {
      traces.push(`process ${pid}: ${textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").slice(0, 80)}`);
    }
    if (textOf(`/proc/${pid}/mountinfo`).includes(run)) traces.push(`a mount that process ${pid} sees`);
  }
  return traces;
}

/** Processes come and go, and what the kernel does not tell does not count. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Milliseconds from one server to a port of another by TCP, or what went wrong, as seen beside the first. */
export async function dial(
  cluster: DockerCluster,
  from: ServerName,
  to: ServerName,
  timeoutMs = 2_000,
): Promise<number | string> {
  const address = await inside(cluster, to, "side", "hostname -i");
  const script = `use Socket; use constant CLOCK_MONOTONIC => 1;
    sub now { open(my $f, "<", "/proc/uptime"); (split / /, <$f>)[0] * 1000 }
    $SIG{ALRM} = sub { print "timeout"; exit }; alarm(${Math.ceil(timeoutMs / 1000)});
    socket(S, AF_INET, SOCK_STREAM, 0); my $t = now();
    connect(S, pack_sockaddr_in(3888, inet_aton("${address}"))) or do { print $!; exit }; print now() - $t;`;
  const output = await inside(cluster, from, "side", `perl -e '${script}'`);
  const ms = Number(output);
  return Number.isNaN(ms) ? output : ms;
}
