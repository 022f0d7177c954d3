import type { ServerId } from "./zab-state.ts";

/**
 * A step of the protocol: the name of the action in Zab.tla, and its parameters.
 *
 * Differs: the specification's Timeout ends both ends of a connection at once, and a Restart the other ends as well;
 * here each end notices for itself. FollowerTimeout, LeaderTimeout and LeaderShutdown are the three parts of a
 * Timeout, and a Restart is a crash of one server alone.
 */
export type TracedAction = readonly [name: TracedName, ...parameters: ServerId[]];

export type TracedName =
  | "UpdateLeader"
  | "FollowLeader"
  | "FollowerTimeout"
  | "LeaderTimeout"
  | "LeaderShutdown"
  | "Restart"
  | "ConnectAndFollowerSendCEPOCH"
  | "LeaderProcessCEPOCH"
  | "FollowerProcessNEWEPOCH"
  | "LeaderProcessACKEPOCH"
  | "FollowerProcessNEWLEADER"
  | "LeaderProcessACKLD"
  | "FollowerProcessCOMMITLD"
  | "LeaderProcessRequest"
  | "LeaderBroadcastPROPOSE"
  | "FollowerProcessPROPOSE"
  | "LeaderProcessACK"
  | "FollowerProcessCOMMIT";
