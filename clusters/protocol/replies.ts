import type { ErrorCode, SubResult, ZnodeAnswer, ZnodeRequest, ZnodeResult } from "../../model/index.ts";
import { errorNames, errorNumbers, opCode } from "./codes.ts";
import { ProtocolError } from "./errors.ts";
import type { JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";
import {
  readAcl,
  readStat,
  readStrings,
  type ReplyHeader,
  writeAcl,
  writeReplyHeader,
  writeStat,
  writeStrings,
} from "./records.ts";

/**
 * Reads what follows a reply's header. `type` is the one that the request travelled under.
 *
 * The body behind an error is skipped, as ZooKeeper's client does: servers send one in rare cases.
 * Throws ProtocolError.
 */
export function readAnswer(
  reader: JuteReader,
  request: ZnodeRequest,
  type: number,
  header: ReplyHeader,
): ZnodeAnswer {
  if (header.error !== 0) {
    const error = errorNames.get(header.error);
    if (error === undefined) {
      throw new ProtocolError(`err: expected 0 or the number of an error, found ${header.error}`);
    }
    return { error, zxid: header.zxid };
  }
  const answer =
    type === opCode.multi
      ? readMultiAnswer(reader, request, header)
      : { error: null, zxid: header.zxid, result: readResult(reader, type) };
  reader.expectEnd(`the reply to ${request.op}`);
  return answer;
}

function readResult(reader: JuteReader, type: number): ZnodeResult {
  switch (type) {
    case opCode.create:
    case opCode.sync:
      return { path: reader.string("path") };
    case opCode.create2:
    case opCode.createContainer:
    case opCode.createTTL:
      return { path: reader.string("path"), stat: readStat(reader) };
    case opCode.exists:
    case opCode.setData:
    case opCode.setACL:
      return { stat: readStat(reader) };
    case opCode.getData:
    case opCode.reconfig:
      return { data: reader.text("data"), stat: readStat(reader) };
    case opCode.getChildren2:
      return { children: readStrings(reader, "children"), stat: readStat(reader) };
    case opCode.getACL:
      return { acl: readAcl(reader), stat: readStat(reader) };
    case opCode.addWatch: {
      const error = reader.i32("err");
      if (error !== 0) throw new ProtocolError(`err: expected 0 in the answer to addWatch, found ${error}`);
      return {};
    }
    default:
      // delete, removeWatches, setWatches, auth and closeSession answer with the header alone.
      return {};
  }
}

/** Of a multi, the header says 0 even when it failed: the culprit stands among the results. */
function readMultiAnswer(reader: JuteReader, request: ZnodeRequest, header: ReplyHeader): ZnodeAnswer {
  const results = readSubResults(reader);
  const expected = request.op === "multi" ? request.operations.length : 1;
  if (results.length !== expected) {
    throw new ProtocolError(`results: expected ${expected} of the multi, found ${results.length}`);
  }
  const zxid = header.zxid;
  const errors = results.flatMap((result) => (result.op === "error" ? [result.error] : []));
  if (errors.length === 0) return { error: null, zxid, result: request.op === "multi" ? { results } : {} };
  const isRealError = (error: ErrorCode | "ok"): error is ErrorCode => error !== "ok";
  const culprit =
    errors.filter(isRealError).find((error) => error !== "RuntimeInconsistency") ?? errors.find(isRealError);
  if (culprit === undefined) {
    throw new ProtocolError("results: expected the error that made the multi fail, found none");
  }
  return request.op === "multi" ? { error: culprit, zxid, results } : { error: culprit, zxid };
}

function readSubResults(reader: JuteReader): SubResult[] {
  const results: SubResult[] = [];
  for (;;) {
    const type = reader.i32("type");
    const done = reader.bool("done");
    reader.i32("err");
    if (done) return results;
    results.push(readSubResult(reader, type));
  }
}

function readSubResult(reader: JuteReader, type: number): SubResult {
  switch (type) {
    case opCode.create:
      return { op: "create", path: reader.string("path") };
    case opCode.create2:
      return { op: "create", path: reader.string("path"), stat: readStat(reader) };
    case opCode.delete:
      return { op: "delete" };
    case opCode.setData:
      return { op: "setData", stat: readStat(reader) };
    case opCode.check:
      return { op: "check" };
    case opCode.error: {
      const number = reader.i32("err");
      const error = number === 0 ? "ok" : errorNames.get(number);
      if (error === undefined) {
        throw new ProtocolError(`err: expected 0 or the number of an error, found ${number}`);
      }
      return { op: "error", error };
    }
    default:
      throw new ProtocolError(`type: expected the type of a multi's result, found ${type}`);
  }
}

/** Writes a reply, header and record, as a server does. Throws where the answer lacks what the request's reply carries. */
export function writeAnswer(writer: JuteWriter, xid: number, type: number, answer: ZnodeAnswer): void {
  const isMulti = type === opCode.multi;
  const results = answer.error === null ? answer.result.results : answer.results;
  const error = answer.error === null || (isMulti && results !== undefined) ? 0 : errorNumbers[answer.error];
  writeReplyHeader(writer, { xid, zxid: answer.zxid, error });
  if (isMulti && results !== undefined) writeSubResults(writer, results);
  else if (answer.error === null) writeResult(writer, type, answer.result);
}

function writeResult(writer: JuteWriter, type: number, result: ZnodeResult): void {
  const part = <Name extends keyof ZnodeResult>(name: Name): NonNullable<ZnodeResult[Name]> => {
    const value = result[name];
    if (value === undefined || value === null)
      throw new TypeError(`an answer of type ${type} needs "${name}"`);
    return value;
  };
  switch (type) {
    case opCode.create:
    case opCode.sync:
      return writer.string(part("path"));
    case opCode.create2:
    case opCode.createContainer:
    case opCode.createTTL:
      writer.string(part("path"));
      return writeStat(writer, part("stat"));
    case opCode.exists:
    case opCode.setData:
    case opCode.setACL:
      return writeStat(writer, part("stat"));
    case opCode.getData:
    case opCode.reconfig:
      writer.string(result.data ?? null);
      return writeStat(writer, part("stat"));
    case opCode.getChildren2:
      writeStrings(writer, part("children"));
      return writeStat(writer, part("stat"));
    case opCode.getACL:
      writeAcl(writer, part("acl"));
      return writeStat(writer, part("stat"));
    case opCode.addWatch:
      return writer.i32(0);
    case opCode.multi:
      throw new TypeError("the answer to a multi needs its results");
    default:
      return;
  }
}

function writeSubResults(writer: JuteWriter, results: readonly SubResult[]): void {
  for (const result of results) {
    const error = result.op === "error" ? (result.error === "ok" ? 0 : errorNumbers[result.error]) : 0;
    writer.i32(subResultType(result));
    writer.bool(false);
    writer.i32(error);
    if (result.op === "error") writer.i32(error);
    if (result.op === "create") writer.string(result.path);
    if (result.op === "create" && result.stat !== undefined) writeStat(writer, result.stat);
    if (result.op === "setData") writeStat(writer, result.stat);
  }
  writer.i32(-1);
  writer.bool(true);
  writer.i32(-1);
}

function subResultType(result: SubResult): number {
  if (result.op === "create") return result.stat === undefined ? opCode.create : opCode.create2;
  return opCode[result.op];
}
