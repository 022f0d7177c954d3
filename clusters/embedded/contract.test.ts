import { clusterContract } from "../contract.ts";
import { type FaultKind, faultKinds } from "../fault.ts";
import { EmbeddedCluster } from "./embedded-cluster.ts";

const refused: readonly FaultKind[] = ["upgrade", "reconfig"];

const options = {
  faults: faultKinds.filter((kind) => !refused.includes(kind)),
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
clusterContract("embedded, with observers", {
  ...options,
  make: () => new EmbeddedCluster({ seed: 3, observers: 2 }),
});
