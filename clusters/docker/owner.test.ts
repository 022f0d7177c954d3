import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { labelsOf, livenessOf, ownerOf, thisOwner } from "./owner.ts";

test("this process lives, and its labels tell so", () => {
  expect(livenessOf(thisOwner())).toBe("alive");
  expect(ownerOf(labelsOf(thisOwner()))).toEqual(thisOwner());
});

test("a process that has ended is dead", async () => {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  expect(livenessOf({ ...thisOwner(), pid: child.pid! })).toBe("dead");
});

test("a later process with the same id is another", () => {
  const here = thisOwner();
  expect(livenessOf({ ...here, start: "1" }, { ...here })).toBe(here.start === "" ? "alive" : "dead");
});

test("before a reboot of this machine is dead, another machine or container cannot be told", () => {
  const here = thisOwner();
  expect(livenessOf({ ...here, boot: "earlier" })).toBe("dead");
  expect(livenessOf({ ...here, host: "elsewhere" })).toBe("unknown");
  expect(livenessOf({ ...here, namespace: "pid:[1]" })).toBe("unknown");
});

test("labels without an owner tell none", () => {
  expect(ownerOf({})).toBeUndefined();
  expect(ownerOf({ "zabcheck.pid": "x", "zabcheck.host": "h" })).toBeUndefined();
});
