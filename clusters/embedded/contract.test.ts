import { clusterContract } from "../contract.ts";
import { EmbeddedCluster } from "./embedded-cluster.ts";

const options = {
  sessionTimeoutMs: 4000,
  requestTimeoutMs: 3000,
  electionMs: 10_000,
  recoveryMs: 15_000,
  testTimeoutMs: 20_000,
};

clusterContract("embedded", { ...options, make: () => new EmbeddedCluster({ seed: 1 }) });
clusterContract("embedded, five servers", {
  ...options,
  make: () => new EmbeddedCluster({ seed: 2, servers: 5 }),
});
