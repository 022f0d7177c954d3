import { InvalidArgumentError } from "commander";
import type { Redis } from "ioredis";
import { OperationError } from "../../model/light.ts";

/** A Redis as `--queue` names it. */
export interface QueueAddress {
  readonly url: string;
  /** Without what nobody else should read. */
  readonly shown: string;
}

const expected = "expected redis://HOST, with a :PORT and a /DATABASE where they are not 6379 and 0";

/** A parser for commander: "redis://10.0.0.7:6379/1", or rediss: for TLS. Throws InvalidArgumentError. */
export function parseQueueAddress(text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isRedis = url?.protocol === "redis:" || url?.protocol === "rediss:";
  if (url === undefined || !isRedis || url.hostname === "" || !/^(?:\/\d{0,4})?$/.test(url.pathname))
    throw new InvalidArgumentError(expected);
  if (url.search !== "" || url.hash !== "") throw new InvalidArgumentError(expected);
  return { url: url.href, shown: `${url.protocol}//${url.host}${url.pathname === "/" ? "" : url.pathname}` };
}

const connectMs = 5000;
const againMsMax = 5000;

/**
 * Connects to a Redis. Once it has answered, a connection that breaks is made again and again, and what is asked
 * meanwhile waits; `tell` hears of both.
 * Throws OperationError where nobody answers.
 */
export async function connectRedis(address: QueueAddress, tell: (line: string) => void): Promise<Redis> {
  const { Redis } = await import("ioredis");
  let connected = false;
  let reason = "";
  let away = false;
  const redis = new Redis(address.url, {
    lazyConnect: true,
    // As BullMQ wants it: commands wait until the connection is there again.
    maxRetriesPerRequest: null,
    connectTimeout: connectMs,
    retryStrategy: (times) => (connected ? Math.min(againMsMax, 200 * times) : null),
  });
  redis.on("error", (error: Error) => (reason = error.message));
  redis.on("reconnecting", () => {
    if (!away) tell(`the connection to ${address.shown} is lost: it is made again`);
    away = true;
  });
  redis.on("ready", () => {
    if (away) tell(`${address.shown} answers again`);
    away = false;
  });
  try {
    await redis.connect();
    await redis.ping();
    connected = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    const said = reason === "" && error instanceof Error ? error.message : reason;
    throw new OperationError(
      "REDIS",
      `no Redis answers at ${address.shown}: ${said}`,
      "start one there, or correct --queue",
      error,
    );
  }
}

/** Throws OperationError where nobody answers. */
export async function tryRedis(address: QueueAddress): Promise<void> {
  const redis = await connectRedis(address, () => undefined);
  redis.disconnect();
}
