import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { builtCommand } from "../for-tests.ts";
import { job } from "../nightly/for-tests.ts";
import { checkNight } from "../nightly/kills.for-tests.ts";
import { parseQueueAddress } from "./address.ts";
import { freePort, QueueSetting, redisForTests, start, summaryOf, until } from "./for-tests.ts";
import { ParcelTooLarge, sendFolder, takeParcel } from "./parcel.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

test("what is no address of a Redis is refused, and the address is shown without its password", () => {
  for (const url of ["localhost:6379", "http://a", "redis://", "redis:///0", "redis://a/x", "redis://a?b=c"])
    expect(() => parseQueueAddress(url)).toThrow("expected redis://HOST");
  expect(parseQueueAddress("redis://:secret@a:1/2").shown).toBe("redis://a:1/2");
  expect(parseQueueAddress("rediss://a").shown).toBe("rediss://a");
});

test("a Redis that is not there ends a worker and a plan, and no night is begun", async () => {
  const command = await builtCommand();
  const folder = mkdtempSync(join(tmpdir(), "zabcheck-queue-"));
  const nowhere = `redis://:secret@127.0.0.1:${await freePort()}`;
  for (const words of [["worker"], ["nightly", "embedded"]]) {
    const { code, stderr } = await start(command, [...words, "--results", folder, "--queue", nowhere]).ended;
    expect(code).toBe(70);
    expect(stderr).toMatch(/^zabcheck: no Redis answers at redis:\/\/127.*ECONNREFUSED.*\n$/);
    expect(stderr).not.toContain("secret");
  }
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

const redisHere = redisForTests();

describe.skipIf(redisHere.reason !== undefined)(redisHere.title("with a Redis"), () => {
  const setting = new QueueSetting();

  test("three workers do a plan; one is killed in the middle of a job, and every job is done, once", async () => {
    const run = { workloads: ["register"], faults: ["kill"], rate: 200, clients: 4, time: "4s", seeds: 5 };
    const workers = ["a", "b", "c"].map((name) => setting.worker(name));
    const nightly = setting.nightly({ runs: [run], explorations: [{ model: "die-hard" }] });
    const [victim, ...others] = workers;
    const taken = new RegExp(`^(register\\S+) was taken by \\S+/${victim!.child.pid}$`, "m");
    await until(() => taken.test(nightly.said()), "a worker has a job");
    const lost = taken.exec(nightly.said())?.[1];
    victim!.child.kill("SIGKILL");
    const summary = await summaryOf(nightly);
    expect(summary.jobs.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => "done"));
    // The lost one was begun twice, all others once; each has ended once.
    expect(summary.jobs.filter(({ starts }) => starts !== 1).map(({ id, starts }) => [id, starts])).toEqual([
      [lost, 2],
    ]);
    expect(setting.journal.match(/"ended"/g)).toHaveLength(6);
    expect(nightly.said()).toContain(`${lost}: its worker is silent; another one takes it`);
    // What the runs left is here, whole.
    expect(await checkNight(setting.night)).toBe(5);
    for (const { directory } of summary.jobs)
      for (const file of ["manifest.json", "report.html"])
        expect(existsSync(join(setting.night, directory ?? "missing", file))).toBe(true);
    expect(readdirSync(join(setting.night, "incoming"))).toEqual([]);
    expect(readdirSync(join(setting.night, "logs"))).toHaveLength(6);
    // Nothing stays in Redis, nor at the workers that live.
    expect(await setting.client.keys("zabcheck:*")).toEqual([]);
    expect(await setting.client.keys("bull:zabcheck:small*")).toEqual([]);
    for (const { child } of others) child.kill("SIGINT");
    expect(await Promise.all(others.map(async ({ ended }) => (await ended).code))).toEqual([0, 0]);
    for (const name of ["b", "c"]) expect(readdirSync(join(setting.folder, name))).toEqual([]);
  });

  test("a worker refuses a plan of another version, gives its job back and ends; what is no job fails", async () => {
    const { queue } = setting;
    const order = { zabcheck: "99.0.0", night: "small.1", job: job("a", ["run", "register"]) };
    await queue.add("a", order, { jobId: "small.1.a" });
    const one = setting.worker("a");
    expect(await one.ended).toMatchObject({ code: 70 });
    expect(one.said()).toMatch(
      /zabcheck: the plan small\.1 is of zabcheck 99\.0\.0, this worker of \d.*install the same/,
    );
    expect(await queue.getWaitingCount()).toBe(1);
    await queue.remove("small.1.a");
    const bad = await queue.add("b", { ...order, job: job("b", ["clean"]) });
    const two = setting.worker("b");
    await until(async () => (await queue.getFailedCount()) === 1, "it failed");
    expect((await queue.getJob(bad.id ?? ""))?.failedReason).toContain("no job of a plan");
    two.child.kill("SIGINT");
    expect(await two.ended).toMatchObject({ code: 0 });
  });

  test("a folder comes through Redis as it is, with large and empty files; a part of it does not", async () => {
    const { client, folder } = setting;
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    const run = join("runs", "job", "register", "1");
    mkdirSync(join(from, run, "servers"), { recursive: true });
    const large = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i * 31 + (i >> 8)) & 255));
    writeFileSync(join(from, run, "history.jsonl"), large);
    writeFileSync(join(from, run, "servers", "empty.log"), "");
    const parcel = await sendFolder(client, "zabcheck:parcel:a/b", from);
    expect(parcel.chunks).toBeGreaterThan(1);
    expect(await client.ttl(parcel.key)).toBeGreaterThan(0);
    // One that came before and was not recorded.
    mkdirSync(join(to, run), { recursive: true });
    writeFileSync(join(to, run, "manifest.json"), "torn");
    expect(await takeParcel(client, parcel, to)).toBe(true);
    expect(readFileSync(join(to, run, "history.jsonl")).equals(large)).toBe(true);
    expect(readFileSync(join(to, run, "servers", "empty.log"), "utf8")).toBe("");
    expect(existsSync(join(to, run, "manifest.json"))).toBe(false);
    await client.lpop(parcel.key);
    expect(await takeParcel(client, parcel, to)).toBe(false);
    await expect(sendFolder(client, "zabcheck:parcel:a/c", from, 1000)).rejects.toThrow(ParcelTooLarge);
    expect(await client.exists("zabcheck:parcel:a/c")).toBe(0);
  });
});
