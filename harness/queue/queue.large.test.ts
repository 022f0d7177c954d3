import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nightFiles } from "../../results/index.ts";
import { checkNight } from "../nightly/kills.for-tests.ts";
import { QueueSetting, redisForTests, summaryOf, until } from "./for-tests.ts";

const redisHere = redisForTests();
const quick = { workloads: ["register"], faults: ["kill,pause"], rate: 200, clients: 4 };

describe.skipIf(redisHere.reason !== undefined)(redisHere.title("a plan on a queue"), () => {
  const setting = new QueueSetting();

  test("that is killed goes on with what was done meanwhile", async () => {
    const plan = { runs: [{ ...quick, time: "6s", seeds: 4 }] };
    const first = setting.nightly(plan);
    await until(async () => (await setting.queue.getWaitingCount()) === 4, "its jobs wait");
    first.child.kill("SIGKILL");
    await first.ended;
    setting.worker("a");
    await until(async () => (await setting.queue.getCompletedCount()) >= 2, "two are done");
    const second = setting.nightly(plan);
    const summary = await summaryOf(second);
    expect(second.said()).toContain("going on with");
    expect(summary.jobs.map(({ status }) => status)).toEqual(["done", "done", "done", "done"]);
    expect(setting.journal.match(/"ended"/g)).toHaveLength(4);
    // None was done again.
    expect(second.said().match(/was taken by/g)?.length ?? 0).toBeLessThanOrEqual(2);
    expect(await checkNight(setting.night)).toBe(4);
  });

  test("whose Redis forgot everything tells it again", async () => {
    const nightly = setting.nightly({ runs: [{ ...quick, time: "6s", seeds: 3 }] });
    const worker = setting.worker("a");
    await until(() => nightly.said().includes("was taken by"), "a worker has a job");
    await setting.redis.end();
    await setting.redis.begin();
    const summary = await summaryOf(nightly);
    expect(summary.jobs.map(({ status }) => status)).toEqual(["done", "done", "done"]);
    expect(setting.journal.match(/"ended"/g)).toHaveLength(3);
    for (const each of [nightly, worker]) expect(each.said()).toContain("answers again");
  });

  test("that is ended by Ctrl-C withdraws what waits and ends what is under way; at a worker, its job goes back", async () => {
    const long = { ...quick, time: "300s", rate: 1000, seeds: 1 };
    const plan = { runs: [long, { ...quick, time: "3s", seeds: 2 }] };
    const first = setting.nightly(plan);
    const one = setting.worker("a");
    await until(() => first.said().includes("was taken by"), "a worker has a job");
    one.child.kill("SIGINT");
    expect((await one.ended).code).toBe(0);
    expect(one.said()).toContain("goes back to the queue");
    const two = setting.worker("b");
    await until(() => (first.said().match(/was taken by/g)?.length ?? 0) >= 2, "another has it");
    first.child.kill("SIGINT");
    expect((await summaryOf(first)).ending).toBe("ended early");
    expect(await setting.queue.getWaitingCount()).toBe(0);
    await until(async () => (await setting.queue.getActiveCount()) === 0, "the worker is free");
    const second = setting.nightly(plan);
    await until(() => second.said().includes("was taken by"), "it is begun again");
    two.child.kill("SIGKILL");
    second.child.kill("SIGINT");
    const { jobs } = await summaryOf(second);
    expect(jobs.map(({ status }) => status)).toEqual(["not run", "not run", "not run"]);
    expect(existsSync(join(setting.night, nightFiles.page))).toBe(true);
  });
});
