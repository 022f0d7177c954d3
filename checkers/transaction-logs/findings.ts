import type { Json, LogFile, LoggedTransaction, TransactionBody, Zxid } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";

/** What is judged, in the order in which it is told. */
export const logChecks = [
  "logs-readable",
  "epochs",
  "zxid-order",
  "same-transaction",
  "prefixes-agree",
  "nothing-missing",
  "nothing-kept",
  "digests",
  "acknowledged-writes",
  "failed-writes",
  "unanswered-writes",
] as const;

export type LogCheck = (typeof logChecks)[number];

/** Something on a disk that is wrong, or legal and worth knowing. */
export interface Finding {
  readonly check: LogCheck;
  readonly severity: "violation" | "warning";
  readonly server: string;
  readonly text: string;
  readonly zxid?: Zxid;
  readonly file?: string;
  readonly offset?: number;
}

/** A record with the file that it stands in. */
export interface LogEntry {
  readonly zxid: Zxid;
  readonly record: LoggedTransaction;
  readonly file: LogFile;
}

export function hexZxid(zxid: Zxid): string {
  return `0x${zxid.toString(16)}`;
}

export function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / 0x1_0000_0000);
}

export function counterOf(zxid: Zxid): number {
  return zxid % 0x1_0000_0000;
}

/** "log.100000001 at byte 338" needs no path: a server's logs have different names. */
export function placeOf(entry: LogEntry): string {
  return `${fileName(entry.file.path)} at byte ${entry.record.offset}`;
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** "setData /a by request 2 of session 0x1000012ab340000". */
export function describeTransaction(record: LoggedTransaction): string {
  const { header, body } = record.transaction;
  return `${describeBody(body)} by request ${header.cxid} of session ${header.session}`;
}

function describeBody(body: TransactionBody): string {
  if (body.type === "multi") return `multi of ${body.transactions.length}`;
  if (body.type === "error") return `error ${body.error}`;
  return "path" in body ? `${body.type} ${body.path}` : body.type;
}

/** A finding at a record. */
export function at(
  check: LogCheck,
  severity: Finding["severity"],
  server: string,
  entry: LogEntry,
  text: string,
): Finding {
  return {
    check,
    severity,
    server,
    text,
    zxid: entry.zxid,
    file: entry.file.path,
    offset: entry.record.offset,
  };
}

/** How many findings a verdict lists in full. */
const listedMax = 100;

/** The verdict of one check from what was found: `held` says what was compared. */
export function verdictOf(
  name: LogCheck,
  findings: readonly Finding[],
  held: string,
  counts: { readonly [name: string]: number },
  vacuous = false,
): Verdict {
  const own = findings.filter((finding) => finding.check === name);
  const violations = own.filter((finding) => finding.severity === "violation");
  const warnings = own.filter((finding) => finding.severity === "warning");
  const more = (of: readonly Finding[]): string => (of.length > 1 ? ` (and ${of.length - 1} more)` : "");
  const warned = warnings[0] === undefined ? "" : `; warning: ${warnings[0].text}${more(warnings)}`;
  const figures = { counts: { ...counts, violations: violations.length, warnings: warnings.length } };
  const evidence: { evidence?: Json } =
    own.length === 0
      ? {}
      : { evidence: { findings: [...violations, ...warnings].slice(0, listedMax).map(jsonOf) } };
  const [first] = violations;
  if (first === undefined) {
    const detail = `${held}${warned}`;
    const isVacuous = vacuous ? { vacuous } : {};
    return { name, verdict: "holds", detail, ...isVacuous, ...figures, ...evidence };
  }
  const detail = `${first.text}${more(violations)}${warned}`;
  return {
    name,
    verdict: "violated",
    detail,
    violation: { summary: first.text, events: [] },
    ...figures,
    ...evidence,
  };
}

function jsonOf(finding: Finding): Json {
  const { severity, server, text, zxid, file, offset } = finding;
  return {
    severity,
    server,
    text,
    ...(zxid === undefined ? {} : { zxid: hexZxid(zxid) }),
    ...(file === undefined ? {} : { file }),
    ...(offset === undefined ? {} : { offset }),
  };
}
