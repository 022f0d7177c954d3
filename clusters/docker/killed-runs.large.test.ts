import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Fault, FaultKind } from "../fault.ts";
import { connectEngine } from "./engine.ts";
import { dockerForTests } from "./for-tests.ts";
import { startOtherRun } from "./killed-run.ts";
import { sweep } from "./sweep.ts";
import { containersOf, tracesOf } from "./test-driver.ts";

const docker = await dockerForTests();

/** One of each kind that can be done here; server-1 and server-2 are its victims, whoever leads. */
const faults: readonly Fault[] = [
  { kind: "partition", cuts: [["server-1", "server-2"]] },
  { kind: "loss", links: [["server-1", "server-2"]], share: 0.5 },
  { kind: "delay", links: [["server-1", "server-2"]], delayMs: [100, 200] },
  { kind: "reset", links: [["server-1", "server-2"]] },
  { kind: "kill", servers: ["server-1", "server-2"] },
  { kind: "pause", servers: ["server-1", "server-2"] },
  { kind: "power-cut", servers: ["server-1", "server-2"] },
  { kind: "starve", servers: ["server-1", "server-2"], share: 0.1 },
  { kind: "disk-full", servers: ["server-1", "server-2"] },
  { kind: "disk-error", servers: ["server-1", "server-2"], operation: "write" },
  { kind: "slow-disk", servers: ["server-1", "server-2"], delayMs: 300 },
  { kind: "damage", servers: ["server-1"], damage: "flipped" },
  { kind: "clock", servers: ["server-1"], offsetMs: -3_600_000 },
  { kind: "rolling-restart", servers: ["server-1", "server-2"] },
  { kind: "upgrade", servers: ["server-1", "server-2"] },
  { kind: "reconfig", leaving: ["server-1"], joining: ["server-4"] },
];
const needed: readonly FaultKind[] = ["delay", "power-cut", "disk-full", "clock", "reconfig"];

describe.skipIf(docker.reason !== undefined)(docker.title("a run that is killed"), () => {
  for (const fault of faults) {
    for (const midway of [true, false]) {
      test(`${midway ? "while" : "after"} ${fault.kind} is applied leaves nothing that a sweep does not remove`, async () => {
        const engine = await connectEngine();
        const { child, run } = await startOtherRun({
          prepared: needed.filter((kind) => kind === fault.kind),
          faults: [fault],
          upgradeTo: "3.8.6",
          midway,
        });
        // Any moment of what takes seconds.
        if (midway) await sleep(Math.random() * 1_500);
        const containers = await containersOf(run);
        child.kill("SIGKILL");
        await once(child, "exit");
        expect(tracesOf(run, containers)).not.toEqual([]);
        await sweep(engine);
        const filters = { label: [`zabcheck.run=${run}`] };
        expect(await engine.listContainers({ all: true, filters })).toEqual([]);
        expect(await engine.listNetworks({ filters })).toEqual([]);
        expect((await engine.listVolumes({ filters })).Volumes ?? []).toEqual([]);
        expect(tracesOf(run, containers)).toEqual([]);
      });
    }
  }
});
