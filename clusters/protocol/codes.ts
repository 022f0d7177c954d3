import type { CreateMode, ErrorCode, WatchEventType, WatcherKind } from "../../model/index.ts";

/** Request types: ZooDefs.OpCode. */
export const opCode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  auth: 100,
  setWatches: 101,
  setWatches2: 105,
  addWatch: 106,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const;

/** Numbers of replies that answer no numbered request. */
export const specialXid = { event: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** KeeperException.Code. */
export const errorNumbers: { readonly [code in ErrorCode]: number } = {
  SystemError: -1,
  RuntimeInconsistency: -2,
  DataInconsistency: -3,
  ConnectionLoss: -4,
  MarshallingError: -5,
  Unimplemented: -6,
  OperationTimeout: -7,
  BadArguments: -8,
  UnknownSession: -12,
  NewConfigNoQuorum: -13,
  ReconfigInProgress: -14,
  APIError: -100,
  NoNode: -101,
  NoAuth: -102,
  BadVersion: -103,
  NoChildrenForEphemerals: -108,
  NodeExists: -110,
  NotEmpty: -111,
  SessionExpired: -112,
  InvalidCallback: -113,
  InvalidACL: -114,
  AuthFailed: -115,
  SessionMoved: -118,
  NotReadOnly: -119,
  EphemeralOnLocalSession: -120,
  NoWatcher: -121,
  RequestTimeout: -122,
  ReconfigDisabled: -123,
  SessionClosedRequireSaslAuth: -124,
  QuotaExceeded: -125,
  ThrottledOp: -127,
};

export const errorNames: ReadonlyMap<number, ErrorCode> = new Map(
  Object.entries(errorNumbers).map(([name, number]) => [number, name as ErrorCode]),
);

/** Flags of create requests: CreateMode. */
export const createFlags: { readonly [mode in CreateMode]: number } = {
  persistent: 0,
  ephemeral: 1,
  "persistent-sequential": 2,
  "ephemeral-sequential": 3,
  container: 4,
  "persistent-ttl": 5,
  "persistent-sequential-ttl": 6,
};

export const createModes: ReadonlyMap<number, CreateMode> = new Map(
  Object.entries(createFlags).map(([mode, flag]) => [flag, mode as CreateMode]),
);

/** Watcher.Event.EventType. */
export const eventTypeNumbers: { readonly [type in WatchEventType]: number } = {
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
  DataWatchRemoved: 5,
  ChildWatchRemoved: 6,
  PersistentWatchRemoved: 7,
};

export const eventTypes: ReadonlyMap<number, WatchEventType> = new Map(
  Object.entries(eventTypeNumbers).map(([type, number]) => [number, type as WatchEventType]),
);

/** Watcher.Event.KeeperState. */
export const keeperStates: ReadonlyMap<number, string> = new Map([
  [-1, "Unknown"],
  [0, "Disconnected"],
  [1, "NoSyncConnected"],
  [3, "SyncConnected"],
  [4, "AuthFailed"],
  [5, "ConnectedReadOnly"],
  [6, "SaslAuthenticated"],
  [7, "Closed"],
  [-112, "Expired"],
]);

/** Watcher.WatcherType. */
export const watcherKindNumbers: { readonly [kind in WatcherKind]: number } = {
  children: 1,
  data: 2,
  any: 3,
};

export const watcherKinds: ReadonlyMap<number, WatcherKind> = new Map(
  Object.entries(watcherKindNumbers).map(([kind, number]) => [number, kind as WatcherKind]),
);

/** What the servers of a release understand: 3.4 lacks create2 and reconfig, 3.5 lacks addWatch. */
export type Dialect = "3.4" | "3.5" | "3.6";

/** The dialect of a release: "3.4.14" gives "3.4", "3.9.5" gives "3.6"; what is no release counts as newest. */
export function dialectOf(release: string): Dialect {
  const [major, minor] = release.split(".").map(Number);
  if (major !== 3 || minor === undefined || !Number.isInteger(minor)) return "3.6";
  if (minor <= 4) return "3.4";
  return minor === 5 ? "3.5" : "3.6";
}
