import { describe } from "vitest";
import { clusterContract } from "../contract.ts";
import { createDockerCluster } from "./docker-cluster.ts";
import { dockerForTests } from "./for-tests.ts";

const docker = await dockerForTests();

describe.skipIf(docker.reason !== undefined)(docker.title("Docker cluster"), () => {
  clusterContract("ZooKeeper 3.9.5", {
    make: () => createDockerCluster({ release: "3.9.5", servers: 3 }),
    // What needs no preparation and little time; faults.docker.test.ts sees to all of them.
    faults: ["loss", "starve"],
    sessionTimeoutMs: 2_000,
    requestTimeoutMs: 3_000,
    electionMs: 5_000,
    recoveryMs: 20_000,
    testTimeoutMs: 90_000,
  });
});
