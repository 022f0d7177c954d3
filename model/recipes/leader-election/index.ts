export * from "./decisions.ts";
export * from "./history-form.ts";
export { leaderElectionModel } from "./model.ts";
