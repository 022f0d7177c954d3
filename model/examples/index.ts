export * from "./die-hard.ts";
export * from "./fencing-lock.ts";
export * from "./paxos.ts";
export * from "./paxos-commit.ts";
export * from "./raft.ts";
export * from "./redlock.ts";
export * from "./three-phase-commit.ts";
export * from "./two-phase-commit.ts";
