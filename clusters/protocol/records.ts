import type { Acl, Stat, WatchEvent, Zxid } from "../../model/index.ts";
import { eventTypeNumbers, eventTypes, keeperStates } from "./codes.ts";
import type { JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";

// The records of zookeeper.jute that are not a request or its reply alone, field by field in its order.

export interface ConnectRequest {
  readonly protocolVersion: number;
  readonly lastZxidSeen: Zxid;
  readonly timeoutMs: number;
  readonly session: string;
  /** In hex. */
  readonly password: string;
  readonly readOnly: boolean;
}

export function readConnectRequest(reader: JuteReader): ConnectRequest {
  const request = {
    protocolVersion: reader.i32("protocolVersion"),
    lastZxidSeen: reader.zxid("lastZxidSeen"),
    timeoutMs: reader.i32("timeOut"),
    session: reader.hex64("sessionId"),
    password: (reader.buffer("passwd") ?? Buffer.alloc(0)).toString("hex"),
    readOnly: reader.remaining > 0 && reader.bool("readOnly"),
  };
  reader.expectEnd("the connect request");
  return request;
}

export function writeConnectRequest(writer: JuteWriter, request: ConnectRequest): void {
  writer.i32(request.protocolVersion);
  writer.i64(request.lastZxidSeen);
  writer.i32(request.timeoutMs);
  writer.hex64(request.session);
  writer.buffer(Buffer.from(request.password, "hex"));
  writer.bool(request.readOnly);
}

export interface ConnectResponse {
  readonly protocolVersion: number;
  /** 0 where the session has expired. */
  readonly timeoutMs: number;
  readonly session: string;
  readonly password: string;
  readonly readOnly: boolean;
}

export function readConnectResponse(reader: JuteReader): ConnectResponse {
  const response = {
    protocolVersion: reader.i32("protocolVersion"),
    timeoutMs: reader.i32("timeOut"),
    session: reader.hex64("sessionId"),
    password: (reader.buffer("passwd") ?? Buffer.alloc(0)).toString("hex"),
    // Servers before 3.4 end here.
    readOnly: reader.remaining > 0 && reader.bool("readOnly"),
  };
  reader.expectEnd("the connect response");
  return response;
}

export function writeConnectResponse(writer: JuteWriter, response: ConnectResponse): void {
  writer.i32(response.protocolVersion);
  writer.i32(response.timeoutMs);
  writer.hex64(response.session);
  writer.buffer(Buffer.from(response.password, "hex"));
  writer.bool(response.readOnly);
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: Zxid;
  /** 0, or the number of an error. */
  readonly error: number;
}

export function readReplyHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.i32("xid"), zxid: reader.zxid("zxid"), error: reader.i32("err") };
}

export function writeReplyHeader(writer: JuteWriter, header: ReplyHeader): void {
  writer.i32(header.xid);
  writer.i64(header.zxid);
  writer.i32(header.error);
}

export function readStat(reader: JuteReader): Stat {
  const czxid = reader.zxid("czxid");
  const mzxid = reader.zxid("mzxid");
  const ctime = reader.i64("ctime");
  const mtime = reader.i64("mtime");
  const version = reader.i32("version");
  const cversion = reader.i32("cversion");
  const aversion = reader.i32("aversion");
  const ephemeralOwner = reader.hex64("ephemeralOwner");
  const dataLength = reader.i32("dataLength");
  const numChildren = reader.i32("numChildren");
  const pzxid = reader.zxid("pzxid");
  return {
    czxid,
    mzxid,
    pzxid,
    ctime,
    mtime,
    version,
    cversion,
    aversion,
    ephemeralOwner,
    dataLength,
    numChildren,
  };
}

export function writeStat(writer: JuteWriter, stat: Stat): void {
  writer.i64(stat.czxid);
  writer.i64(stat.mzxid);
  writer.i64(stat.ctime);
  writer.i64(stat.mtime);
  writer.i32(stat.version);
  writer.i32(stat.cversion);
  writer.i32(stat.aversion);
  writer.hex64(stat.ephemeralOwner);
  writer.i32(stat.dataLength);
  writer.i32(stat.numChildren);
  writer.i64(stat.pzxid);
}

function readAclEntry(reader: JuteReader): Acl {
  return { permissions: reader.i32("perms"), scheme: reader.string("scheme"), id: reader.string("id") };
}

export function readAcl(reader: JuteReader): Acl[] {
  return reader.vector("acl", 12, readAclEntry);
}

export function writeAcl(writer: JuteWriter, acl: readonly Acl[]): void {
  writer.vector(acl, (to, entry) => {
    to.i32(entry.permissions);
    to.string(entry.scheme);
    to.string(entry.id);
  });
}

/** Reads a WatcherEvent; `zxid` is the reply header's. */
export function readWatchEvent(reader: JuteReader, zxid: Zxid): WatchEvent {
  const type = reader.named("type", eventTypes, "the number of a watch event, 1 to 7");
  reader.named("state", keeperStates, "the number of a keeper state");
  const path = reader.string("path");
  reader.expectEnd("the watch event");
  return { type, path, zxid };
}

export function writeWatchEvent(writer: JuteWriter, event: WatchEvent): void {
  writer.i32(eventTypeNumbers[event.type]);
  writer.i32(3);
  writer.string(event.path);
}

export function readStrings(reader: JuteReader, field: string): string[] {
  return reader.vector(field, 4, (from) => from.string(field));
}

export function writeStrings(writer: JuteWriter, strings: readonly string[]): void {
  writer.vector(strings, (to, text) => to.string(text));
}
