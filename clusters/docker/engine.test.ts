import { afterEach, expect, test, vi } from "vitest";
import { OperationError } from "../../model/index.ts";
import { connectEngine, engineFailure } from "./engine.ts";
import { dockerForTests } from "./for-tests.ts";

afterEach(() => vi.unstubAllEnvs());

test("no socket and no listener are one readable line each, with what to do", async () => {
  for (const [host, why] of [
    ["unix:///nonexistent/docker.sock", /no such socket/],
    ["tcp://127.0.0.1:1", /ECONNREFUSED/],
  ] as const) {
    vi.stubEnv("DOCKER_HOST", host);
    const error = await connectEngine().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OperationError);
    expect(error).toMatchObject({
      code: "no-docker",
      message: expect.stringMatching(why),
      hint: expect.stringContaining("DOCKER_HOST"),
    });
    expect(String(error)).not.toContain("\n");
  }
});

test("a missing engine skips tests with its reason, and fails them where one is required", async () => {
  vi.stubEnv("DOCKER_HOST", "unix:///nonexistent/docker.sock");
  vi.stubEnv("ZABCHECK_REQUIRE_DOCKER", "");
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const docker = await dockerForTests();
  expect(docker.title("ensemble")).toMatch(/^ensemble \(skipped: no Docker Engine answers/);
  expect(warn).toHaveBeenCalledOnce();
  vi.stubEnv("ZABCHECK_REQUIRE_DOCKER", "1");
  await expect(dockerForTests()).rejects.toBeInstanceOf(OperationError);
});

test("the Engine's answers become errors that say what was tried and what helps", () => {
  const answer = (text: string): OperationError =>
    engineFailure("make server-1", new Error(`(HTTP code 500) server error - ${text} `));
  const busy =
    "driver failed programming external connectivity on endpoint x (1a): Bind for 127.0.0.1:2181 failed: port is already allocated";
  expect(answer(busy)).toMatchObject({
    code: "port-in-use",
    message: "port 2181 of the Docker host is in use",
  });
  expect(
    answer("Error starting userland proxy: listen tcp4 127.0.0.1:29182: bind: address already in use"),
  ).toMatchObject({
    code: "port-in-use",
    message: "port 29182 of the Docker host is in use",
  });
  expect(answer("write /x: no space left on device").hint).toContain("disk");
  expect(answer("something\nodd")).toMatchObject({
    message: "Docker could not make server-1: something odd",
  });
});
