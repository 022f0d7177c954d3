import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { nightFiles, nightsOf, type NightSummary } from "../../results/index.ts";
import { builtCommand } from "../for-tests.ts";
import { queueName } from "./orders.ts";

/**
 * Whether tests that need a Redis can run: `describe.skipIf(reason !== undefined)`. Throws where there is none and
 * ZABCHECK_REQUIRE_DOCKER=1, as tests that need an Engine do: then a skipped test would be a lie.
 */
export function redisForTests(): { readonly reason: string | undefined; title(name: string): string } {
  const { error } = spawnSync("redis-server", ["--version"]);
  const reason = error === undefined ? undefined : "there is no redis-server";
  if (reason !== undefined && process.env["ZABCHECK_REQUIRE_DOCKER"] === "1") throw new Error(reason);
  if (reason !== undefined) console.warn(`tests of the queue are skipped: ${reason}`);
  return { reason, title: (name) => (reason === undefined ? name : `${name} (skipped: ${reason})`) };
}

/** A Redis of one's own on the loopback, which keeps nothing. */
export class TestRedis {
  readonly port: number;
  #server: ChildProcess | undefined;
  readonly #folder: string;

  private constructor(port: number) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), "zabcheck-redis-"));
  }

  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await freePort());
    await redis.begin();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Begins with nothing; also after an end. */
  async begin(): Promise<void> {
    const words = ["--port", String(this.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    this.#server = spawn("redis-server", [...words, "--dir", this.#folder], { stdio: "ignore" });
    const client = this.client();
    try {
      await client.ping();
    } finally {
      client.disconnect();
    }
  }

  client(): Redis {
    return new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null }).on(
      "error",
      () => undefined,
    );
  }

  async end(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await ended;
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A zabcheck under way, and what it has said. */
export interface Started {
  readonly child: ChildProcess;
  said(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

export function start(command: readonly string[], words: readonly string[]): Started {
  const [program = "", ...first] = command;
  const child = spawn(program, [...first, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  );
  return { child, said: () => stderr, ended };
}

/** Throws after a minute. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await sleep(20);
  }
}

/** What tests of the queue begin with; registers vitest's hooks. Everything is gone after each test. */
export class QueueSetting {
  folder = "";
  redis!: TestRedis;
  /** Of BullMQ's own eyes on the queue. */
  queue!: Queue;
  #command: readonly string[] = [];
  #client!: Redis;
  #started: Started[] = [];

  constructor() {
    beforeAll(async () => {
      this.#command = await builtCommand();
      this.redis = await TestRedis.start();
    });
    afterAll(async () => this.redis.remove());
    beforeEach(() => {
      this.folder = mkdtempSync(join(tmpdir(), "zabcheck-queue-"));
      this.#client = this.redis.client();
      this.queue = new Queue(queueName, { connection: this.#client });
      this.queue.on("error", () => undefined);
    });
    afterEach(async () => {
      for (const { child } of this.#started) child.kill("SIGKILL");
      await Promise.all(this.#started.map(({ ended }) => ended));
      this.#started = [];
      await this.#client.flushall();
      await this.queue.close();
      this.#client.disconnect();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  get client(): Redis {
    return this.#client;
  }

  zabcheck(...words: readonly string[]): Started {
    const one = start(this.#command, [...words, "--queue", this.redis.url]);
    this.#started.push(one);
    return one;
  }

  worker(name: string): Started {
    const words = ["--processors", "1", "--lock", "2s", "--results", join(this.folder, name)];
    return this.zabcheck("worker", ...words);
  }

  nightly(plan: object): Started {
    const path = join(this.folder, "small.json");
    writeFileSync(path, JSON.stringify(plan));
    return this.zabcheck("nightly", path, "--results", join(this.folder, "results"), "--json");
  }

  /** The directory of the newest night. */
  get night(): string {
    return nightsOf(join(this.folder, "results"), "small").at(-1) ?? "";
  }

  get journal(): string {
    return readFileSync(join(this.night, nightFiles.journal), "utf8");
  }
}

/** Of a plan that came to its end, or to an early one. */
export async function summaryOf(nightly: Started): Promise<NightSummary> {
  const { code, stdout, stderr } = await nightly.ended;
  if (code === null || code > 2) throw new Error(`exit code ${code ?? "unknown"}: ${stderr}`);
  return (JSON.parse(stdout) as { summary: NightSummary }).summary;
}
