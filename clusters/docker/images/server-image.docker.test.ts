import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { archiveOf, extractFiles } from "../archive.ts";
import { connectEngine, type Engine } from "../engine.ts";
import { dockerForTests } from "../for-tests.ts";
import { labelsOf, thisOwner } from "../owner.ts";
import { Shell } from "../shell.ts";
import { runLabel, sweep } from "../sweep.ts";
import { baseImageTag, releaseLabel } from "./names.ts";
import { imageOfRelease, makeServerImage } from "./server-image.ts";

const docker = await dockerForTests();
const timeoutMs = 300_000;
const run = `image-test-${process.pid}`;
const tag = `zabcheck/test-image:${process.pid}`;

describe.skipIf(docker.reason !== undefined)(
  docker.title("an image made from given jars on a given base"),
  () => {
    let engine: Engine;
    let jars: string;

    beforeAll(async () => {
      engine = await connectEngine();
      await sweep(engine);
      jars = mkdtempSync(join(tmpdir(), "zabcheck-jars-"));
      const release = await imageOfRelease(engine, "3.9.5", () => {});
      const container = await engine.createContainer({ Image: release, Labels: labels() });
      await extractFiles(await container.getArchive({ path: "/opt/zookeeper/lib" }), jars);
      await container.remove({ v: true });
      await makeServerImage(engine, { jars: join(jars, "lib"), base: baseImageTag, tag });
    }, timeoutMs);
    afterEach(async () => {
      const filters = { label: [`${runLabel}=${run}`] };
      for (const { Id } of await engine.listContainers({ all: true, filters })) {
        await engine.getContainer(Id).remove({ force: true, v: true });
      }
    });
    afterAll(async () => {
      rmSync(jars, { recursive: true });
      await engine.getImage(tag).remove({ force: true });
    }, timeoutMs);

    const labels = (): Record<string, string> => ({ [runLabel]: run, ...labelsOf(thisOwner()) });

    /** Starts a container and returns a shell in it, once the server answers. */
    async function serve(environment: readonly string[], files?: Buffer): Promise<Shell> {
      const container = await engine.createContainer({ Image: tag, Env: [...environment], Labels: labels() });
      if (files !== undefined) await container.putArchive(files, { path: "/" });
      await container.start();
      const shell = await Shell.open(engine, container.id);
      for (let attempt = 0; attempt < 200; attempt++) {
        const { code } = await shell.run(
          "bash -c 'exec 3<>/dev/tcp/127.0.0.1/2181 && printf ruok >&3 && timeout 2 grep -q imok <&3'",
        );
        if (code === 0) return shell;
        await sleep(100);
      }
      throw new Error(`no answer: ${String(await container.logs({ stdout: true, stderr: true, tail: 20 }))}`);
    }

    test("tells the release of its jars", async () => {
      const { Config } = await engine.getImage(tag).inspect();
      expect(Config.Labels[releaseLabel]).toBe("3.9.5");
      expect(Object.keys(Config.Volumes).toSorted()).toEqual(["/data", "/datalog", "/logs"]);
      expect(Object.keys(Config.ExposedPorts ?? {}).toSorted()).toEqual([
        "2181/tcp",
        "2888/tcp",
        "3888/tcp",
        "8080/tcp",
      ]);
      expect(readdirSync(join(jars, "lib"))).toContain("zookeeper-3.9.5.jar");
    });

    test(
      "writes its configuration from the variables of the official image, and serves as user 1000",
      { timeout: timeoutMs },
      async () => {
        const shell = await serve([
          "ZOO_MY_ID=7",
          "ZOO_SERVERS=server.7=localhost:2888:3888;2181",
          "ZOO_TICK_TIME=300",
          "ZOO_4LW_COMMANDS_WHITELIST=*",
          "ZOO_CFG_EXTRA=a.b=c d.e=f",
          "JVMFLAGS=-Xmx128m",
        ]);
        const { output } = await shell.run(
          "cat /conf/zoo.cfg /data/myid; stat -c %u /proc/1 /data /datalog /logs; tr '\\0' ' ' </proc/1/cmdline",
        );
        for (const line of [
          "tickTime=300",
          "initLimit=5",
          "syncLimit=2",
          "maxClientCnxns=60",
          "4lw.commands.whitelist=*",
          "a.b=c",
          "d.e=f",
          "dataLogDir=/datalog",
          "server.7=localhost:2888:3888;2181",
          "7",
        ]) {
          expect(output.split("\n")).toContain(line);
        }
        expect(output).toMatch(/^1000\n1000\n1000\n1000$/m);
        expect(output).toMatch(/java .*-Xmx1000m .*-Xmx128m .*QuorumPeerMain/);
        shell.close();
      },
    );

    test("leaves a configuration alone that is there already", { timeout: timeoutMs }, async () => {
      const own = "dataDir=/data\nclientPort=2181\nadmin.enableServer=false\n4lw.commands.whitelist=ruok\n";
      const shell = await serve(
        ["ZOO_MY_ID=7"],
        await archiveOf({ "conf/zoo.cfg": own, "data/myid": "3\n" }),
      );
      expect((await shell.run("cat /conf/zoo.cfg /data/myid")).output).toBe(`${own}3\n`);
      shell.close();
    });
  },
);
