import type { Acl, CreateRequest, SubRequest, ZnodeRequest } from "../../model/index.ts";
import {
  createFlags,
  createModes,
  type Dialect,
  opCode,
  specialXid,
  watcherKindNumbers,
  watcherKinds,
} from "./codes.ts";
import { ProtocolError } from "./errors.ts";
import type { JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";
import { readAcl, readStrings, writeAcl, writeStrings } from "./records.ts";

/** What ZooKeeper's own client sends where no ACL is given: everything to everyone. */
export const openAcl: readonly Acl[] = [{ permissions: 31, scheme: "world", id: "anyone" }];

/** Why a dialect cannot say a request; undefined where it can. */
export function unsupported(request: ZnodeRequest, dialect: Dialect): string | undefined {
  if (dialect === "3.6") return undefined;
  const lacks = (what: string): string => `ZooKeeper ${dialect} has no ${what}`;
  switch (request.op) {
    case "create":
      if (dialect === "3.5") return undefined;
      return /container|ttl/.test(request.mode) ? lacks(`${request.mode} nodes`) : undefined;
    case "multi":
      return request.operations
        .map((sub) => unsupported(sub, dialect))
        .find((reason) => reason !== undefined);
    case "addWatch":
      return lacks("addWatch");
    case "setWatches":
      return request.persistent.length + request.persistentRecursive.length > 0
        ? lacks("persistent watches")
        : undefined;
    case "removeWatches":
    case "reconfig":
      return dialect === "3.4" ? lacks(request.op) : undefined;
    default:
      return undefined;
  }
}

/** The number of the reply that a request will get, where it is not the request's own. */
export function fixedXid(request: ZnodeRequest): number | undefined {
  if (request.op === "addAuth") return specialXid.auth;
  if (request.op === "setWatches") return specialXid.setWatches;
  return undefined;
}

/**
 * The type that a request travels under. A lone check travels as a multi of one. Differs from the API's table of
 * types, which has one of its own for it: servers fail to serialize the answer to that and never send it.
 */
export function requestType(request: ZnodeRequest, dialect: Dialect): number {
  switch (request.op) {
    case "create":
      return createType(request, dialect);
    case "getChildren":
      return opCode.getChildren2;
    case "addAuth":
      return opCode.auth;
    case "check":
      return opCode.multi;
    case "setWatches":
      return request.persistent.length + request.persistentRecursive.length > 0
        ? opCode.setWatches2
        : opCode.setWatches;
    default:
      return opCode[request.op];
  }
}

function createType(request: CreateRequest, dialect: Dialect): number {
  if (request.mode === "container") return opCode.createContainer;
  if (request.mode.endsWith("-ttl")) return opCode.createTTL;
  return dialect === "3.4" ? opCode.create : opCode.create2;
}

/** Writes a request: header and record. Throws InputError for text that cannot be sent. */
export function writeRequest(writer: JuteWriter, request: ZnodeRequest, xid: number, dialect: Dialect): void {
  writer.i32(xid);
  writer.i32(requestType(request, dialect));
  writeRequestRecord(writer, request, dialect);
}

function writeRequestRecord(writer: JuteWriter, request: ZnodeRequest, dialect: Dialect): void {
  switch (request.op) {
    case "create":
    case "delete":
    case "setData":
      return writeSubRequest(writer, request);
    case "check":
      return writeMulti(writer, [request], dialect);
    case "exists":
    case "getData":
    case "getChildren":
      writer.string(request.path);
      return writer.bool(request.watch === true);
    case "getACL":
    case "sync":
      return writer.string(request.path);
    case "setACL":
      writer.string(request.path);
      writeAcl(writer, request.acl);
      return writer.i32(request.version);
    case "multi":
      return writeMulti(writer, request.operations, dialect);
    case "addWatch":
      writer.string(request.path);
      return writer.i32(request.mode === "persistent" ? 0 : 1);
    case "removeWatches":
      writer.string(request.path);
      return writer.i32(watcherKindNumbers[request.kind]);
    case "setWatches":
      writer.i64(request.relativeZxid);
      writeStrings(writer, request.data);
      writeStrings(writer, request.exists);
      writeStrings(writer, request.children);
      if (requestType(request, dialect) === opCode.setWatches) return;
      writeStrings(writer, request.persistent);
      return writeStrings(writer, request.persistentRecursive);
    case "addAuth":
      writer.i32(0);
      writer.string(request.scheme);
      return writer.string(request.auth);
    case "reconfig":
      writer.string(request.joining);
      writer.string(request.leaving);
      writer.string(request.members);
      return writer.i64(request.version);
    case "closeSession":
      return;
  }
}

function writeSubRequest(writer: JuteWriter, request: SubRequest): void {
  writer.string(request.path);
  switch (request.op) {
    case "create":
      writer.string(request.data);
      writeAcl(writer, request.acl ?? openAcl);
      writer.i32(createFlags[request.mode]);
      if (request.mode.endsWith("-ttl")) writer.i64(request.ttlMs ?? 0);
      return;
    case "setData":
      writer.string(request.data);
      return writer.i32(request.version);
    case "delete":
    case "check":
      return writer.i32(request.version);
  }
}

/** MultiHeader {type, done, err} before each record, and one with done set at the end. */
function writeMulti(writer: JuteWriter, operations: readonly SubRequest[], dialect: Dialect): void {
  for (const operation of operations) {
    writer.i32(operation.op === "create" ? createType(operation, dialect) : opCode[operation.op]);
    writer.bool(false);
    writer.i32(-1);
    writeSubRequest(writer, operation);
  }
  writer.i32(-1);
  writer.bool(true);
  writer.i32(-1);
}

/** A request as a server reads it. */
export interface ReceivedRequest {
  readonly xid: number;
  readonly type: number;
  /** Undefined for a ping. */
  readonly request: ZnodeRequest | undefined;
}

/** Reads a request: header and record. Throws ProtocolError. */
export function readRequest(reader: JuteReader): ReceivedRequest {
  const xid = reader.i32("xid");
  const type = reader.i32("type");
  const request = type === opCode.ping ? undefined : readRequestRecord(reader, type);
  reader.expectEnd("the request");
  return { xid, type, request };
}

function readRequestRecord(reader: JuteReader, type: number): ZnodeRequest {
  switch (type) {
    case opCode.exists:
      return { op: "exists", path: reader.string("path"), watch: reader.bool("watch") };
    case opCode.getData:
      return { op: "getData", path: reader.string("path"), watch: reader.bool("watch") };
    case opCode.getChildren2:
      return { op: "getChildren", path: reader.string("path"), watch: reader.bool("watch") };
    case opCode.getACL:
      return { op: "getACL", path: reader.string("path") };
    case opCode.sync:
      return { op: "sync", path: reader.string("path") };
    case opCode.setACL:
      return {
        op: "setACL",
        path: reader.string("path"),
        acl: readAcl(reader),
        version: reader.i32("version"),
      };
    case opCode.multi:
      return { op: "multi", operations: readMulti(reader) };
    case opCode.addWatch:
      return {
        op: "addWatch",
        path: reader.string("path"),
        mode: reader.named("mode", addWatchModes, "the mode of a watch, 0 or 1"),
      };
    case opCode.removeWatches:
      return {
        op: "removeWatches",
        path: reader.string("path"),
        kind: reader.named("type", watcherKinds, "the kind of a watch, 1 to 3"),
      };
    case opCode.setWatches:
    case opCode.setWatches2:
      return readSetWatches(reader, type);
    case opCode.auth:
      reader.i32("type");
      return { op: "addAuth", scheme: reader.string("scheme"), auth: reader.string("auth") };
    case opCode.reconfig:
      return {
        op: "reconfig",
        joining: reader.text("joiningServers"),
        leaving: reader.text("leavingServers"),
        members: reader.text("newMembers"),
        version: reader.i64("curConfigId"),
      };
    case opCode.closeSession:
      return { op: "closeSession" };
    default:
      return readSubRequest(reader, type);
  }
}

const addWatchModes = new Map([
  [0, "persistent"],
  [1, "persistent-recursive"],
] as const);

function readSetWatches(reader: JuteReader, type: number): ZnodeRequest {
  return {
    op: "setWatches",
    relativeZxid: reader.zxid("relativeZxid"),
    data: readStrings(reader, "dataWatches"),
    exists: readStrings(reader, "existWatches"),
    children: readStrings(reader, "childWatches"),
    persistent: type === opCode.setWatches2 ? readStrings(reader, "persistentWatches") : [],
    persistentRecursive: type === opCode.setWatches2 ? readStrings(reader, "persistentRecursiveWatches") : [],
  };
}

function readSubRequest(reader: JuteReader, type: number): SubRequest {
  switch (type) {
    case opCode.create:
    case opCode.create2:
    case opCode.createContainer:
    case opCode.createTTL: {
      const path = reader.string("path");
      const data = reader.text("data");
      const acl = readAcl(reader);
      const mode = reader.named("flags", createModes, "the flags of a create, 0 to 6");
      if (type !== opCode.createTTL) return { op: "create", path, data, acl, mode };
      return { op: "create", path, data, acl, mode, ttlMs: reader.i64("ttl") };
    }
    case opCode.delete:
      return { op: "delete", path: reader.string("path"), version: reader.i32("version") };
    case opCode.setData:
      return {
        op: "setData",
        path: reader.string("path"),
        data: reader.text("data"),
        version: reader.i32("version"),
      };
    case opCode.check:
      return { op: "check", path: reader.string("path"), version: reader.i32("version") };
    default:
      throw new ProtocolError(`type: expected the type of a request, found ${type}`);
  }
}

function readMulti(reader: JuteReader): SubRequest[] {
  const operations: SubRequest[] = [];
  for (;;) {
    const type = reader.i32("type");
    const done = reader.bool("done");
    reader.i32("err");
    if (done) return operations;
    operations.push(readSubRequest(reader, type));
  }
}
