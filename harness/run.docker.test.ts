import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkZookeeper } from "../checkers/index.ts";
import { connectEngine, dockerForTests, sweep } from "../clusters/index.ts";
import { readHistory, readManifest, renderRun, runFiles, startModule, type Ended } from "../results/index.ts";

const docker = await dockerForTests();

describe.skipIf(docker.reason !== undefined)(docker.title("runs against real servers"), () => {
  let results = "";
  beforeEach(() => (results = mkdtempSync(join(tmpdir(), "zabcheck-docker-run-"))));
  afterEach(() => rmSync(results, { recursive: true, force: true }));

  const words = (...more: readonly string[]): readonly string[] => [
    "run",
    "register",
    "--cluster",
    "docker",
    "--results",
    results,
    ...more,
  ];
  const zabcheck = (...more: readonly string[]): Promise<Ended> =>
    startModule(new URL("./cli.ts", import.meta.url), words(...more)).ended;

  /** The directory of the one run that was begun. */
  async function begun(): Promise<string> {
    for (let i = 0; i < 300; i++) {
      const [name] = readdirSync(results).includes("register") ? readdirSync(join(results, "register")) : [];
      if (name !== undefined) return join(results, "register", name);
      await sleep(200);
    }
    throw new Error("no run has begun");
  }

  test("ZooKeeper keeps its promises under a fault", { timeout: 180_000 }, async () => {
    const { code, stdout, stderr } = await zabcheck(
      "--faults",
      "kill",
      "--time",
      "8s",
      "--seed",
      "5",
      "--json",
    );
    expect(code, stderr).toBe(0);
    const { verdict, operations, directory } = JSON.parse(stdout) as {
      verdict: string;
      operations: number;
      directory: string;
    };
    expect(verdict).toBe("holds");
    expect(operations).toBeGreaterThan(100);
    expect(readdirSync(join(directory, runFiles.servers)).length).toBeGreaterThanOrEqual(3);
  });

  test(
    "a run that is killed leaves a history that can be judged, and nothing on the machine after a sweep",
    { timeout: 180_000 },
    async () => {
      const child = startModule(
        new URL("./cli.ts", import.meta.url),
        words("--faults", "pause", "--time", "120s", "--seed", "1"),
      );
      const directory = await begun();
      for (let i = 0; i < 300; i++) {
        if (
          readdirSync(directory).includes(runFiles.history) &&
          readFileSync(join(directory, runFiles.history)).length > 200_000
        )
          break;
        await sleep(200);
      }
      child.process.kill("SIGKILL");
      expect((await child.ended).signal).toBe("SIGKILL");

      const { events } = await readHistory(join(directory, runFiles.history));
      expect(events.length).toBeGreaterThan(100);
      const verdicts = checkZookeeper(events);
      expect(verdicts.filter(({ verdict }) => verdict === "violated")).toEqual([]);
      expect(readManifest(directory).status).toBe("running");
      expect(readFileSync(await renderRun(directory), "utf8")).toContain("The run was cut off");

      const swept = await sweep(await connectEngine());
      expect(swept.containers + swept.networks).toBeGreaterThan(0);
      const again = await sweep(await connectEngine());
      expect([again.containers, again.networks, again.volumes]).toEqual([0, 0, 0]);
    },
  );

  test(
    "a run that is interrupted is judged and kept, and its containers are gone",
    { timeout: 180_000 },
    async () => {
      const child = startModule(
        new URL("./cli.ts", import.meta.url),
        words("--faults", "pause", "--time", "600s", "--seed", "2", "--json"),
      );
      const directory = await begun();
      for (let i = 0; i < 300 && !readdirSync(directory).includes(runFiles.history); i++) await sleep(200);
      await sleep(3000);
      child.process.kill("SIGINT");
      const { code, stdout, stderr } = await child.ended;
      expect(code, stderr).toBe(0);
      expect((JSON.parse(stdout) as { operations: number }).operations).toBeGreaterThan(0);
      expect(readManifest(directory).status).toBe("interrupted");
    },
  );

  test(
    "an unknown image and a port in use are told in one line, and leave nothing",
    { timeout: 180_000 },
    async () => {
      const unknown = await zabcheck("--image", "zabcheck/no-such-image:1", "--time", "1s");
      expect([unknown.code, unknown.stdout]).toEqual([70, ""]);
      expect(unknown.stderr.trimEnd().split("\n").at(-1)).toMatch(/^zabcheck: .*no-such-image.* \(.+\)$/);

      const taken = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => taken.once("listening", resolve));
      const address = taken.address();
      const port = typeof address === "object" ? (address?.port ?? 0) : 0;
      const inUse = await zabcheck("--publish", String(port), "--servers", "1", "--time", "1s");
      taken.close();
      expect([inUse.code, inUse.stdout], inUse.stderr).toEqual([70, ""]);
      expect(inUse.stderr.trimEnd().split("\n").at(-1)).toMatch(/^zabcheck: .* \(.+\)$/);
      expect(readdirSync(results)).toEqual([]);
    },
  );
});
