import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import type { Fault, FaultKind } from "../fault.ts";

/** For tests: another process with an ensemble, for them to kill. */
export interface OtherRun {
  readonly child: ChildProcess;
  readonly run: string;
  /** What it said once the ensemble stood: "applying KIND", "applied KIND". */
  readonly said: readonly string[];
}

export interface OtherRunOptions {
  readonly prepared?: readonly FaultKind[];
  readonly faults: readonly Fault[];
  readonly upgradeTo?: string;
  /** Comes back when the last fault is about to be applied, so that the kill can hit any moment of it. */
  readonly midway?: boolean;
}

/** Starts a process that makes an ensemble and applies faults, and waits for it. It runs what `npm test` has built. */
export async function startOtherRun(options: OtherRunOptions): Promise<OtherRun> {
  const built = new URL("../../dist/clusters/index.js", import.meta.url);
  if (!existsSync(built)) throw new Error("not built: run `npm run build` (as `npm test` does)");
  const { prepared = [], faults, upgradeTo, midway = false } = options;
  const source = `
    import { createDockerCluster } from ${JSON.stringify(built.href)};
    const upgradeTo = ${JSON.stringify(upgradeTo ?? null)};
    const cluster = await createDockerCluster({ release: "3.9.5", servers: 3, ...(upgradeTo === null ? {} : { upgradeTo }) });
    await cluster.prepare(${JSON.stringify(prepared)});
    await cluster.start();
    const { client } = await cluster.connect({ server: "server-1", sessionTimeoutMs: 30_000 });
    await client.request({ op: "create", path: "/a", data: "", mode: "persistent" });
    console.log("run " + cluster.run);
    const faults = ${JSON.stringify(faults)};
    for (const [i, fault] of faults.entries()) {
      console.log((i === faults.length - 1 ? "last " : "") + "applying " + fault.kind);
      await cluster.apply(fault);
      console.log("applied " + fault.kind);
    }
    console.log("done");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  let text = "";
  for await (const chunk of child.stdout) {
    text += String(chunk);
    if (!(midway ? /^last applying/m : /^done$/m).test(text)) continue;
    const run = /^run (\S+)/m.exec(text)?.[1];
    if (run !== undefined) return { child, run, said: text.trim().split("\n") };
  }
  throw new Error("the other process ended before its faults were in force");
}
