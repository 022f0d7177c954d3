import { expect, test } from "vitest";
import { knownDefect } from "./known-defects.ts";

test("a defect is known by the server's own words, and others are not taken for it", () => {
  const words =
    "2026-11-28 13:45:57,395 [main] ERROR org.apache.zookeeper.server.ZKDatabase - Committed proposal cached out of order: 0x1000005c3 is not the next proposal of 0x1000005c1 | Exiting JVM with code 1";
  expect(knownDefect(words)?.issue).toMatch(/ZOOKEEPER-4882/);
  const snapshot = "java.io.IOException: No snapshot found, but there are log entries. Something is broken!";
  expect(knownDefect(snapshot)?.issue).toBe("ZOOKEEPER-2310");
  const epoch =
    "Caused by: java.io.IOException: The current epoch, 1, is older than the last zxid, 8589934807";
  expect(knownDefect(epoch)?.issue).toBe("ZOOKEEPER-1653");
  expect(knownDefect("java.io.IOException: CRC check failed")).toBeUndefined();
  expect(knownDefect("")).toBeUndefined();
});
