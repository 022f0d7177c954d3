import { expect, test } from "vitest";
import { InputError } from "../../../model/index.ts";
import { releaseOfJars } from "./class-path.ts";
import { parseRelease, releaseOfTag } from "./names.ts";

test("a release is three numbers, perhaps with a suffix", () => {
  for (const release of ["3.9.4", "3.4.14", "3.5.3-beta", "3.10.0-SNAPSHOT"])
    expect(parseRelease(release)).toBe(release);
  for (const text of ["", "3.9", "latest", "3.9.4; rm -rf /", "../3.9.4", "4.0.0", "3.9.4\n"]) {
    expect(() => parseRelease(text)).toThrow(InputError);
  }
});

test("an image's name tells its release where it is one of ZooKeeper's", () => {
  expect(releaseOfTag("zookeeper:3.9.4")).toBe("3.9.4");
  expect(releaseOfTag("registry.invalid:5000/library/zookeeper:3.8.6-jre-17")).toBe("3.8.6");
  expect(releaseOfTag("my-zookeeper:3.9.4")).toBeUndefined();
  expect(releaseOfTag("zookeeper:latest")).toBeUndefined();
});

test("the server's jar tells the release of a class path", () => {
  expect(releaseOfJars(["netty-4.1.jar", "zookeeper-jute-3.9.4.jar", "zookeeper-3.9.4.jar"])).toBe("3.9.4");
  expect(releaseOfJars(["zookeeper-jute-3.9.4.jar"])).toBeUndefined();
});
