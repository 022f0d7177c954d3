import { createHash } from "node:crypto";
import type { Acl } from "./operations.ts";

export const permission = { read: 1, write: 2, create: 4, delete: 8, admin: 16 } as const;

/** An identity of a connection. */
export interface AuthId {
  readonly scheme: string;
  readonly id: string;
}

export const openAcl: readonly Acl[] = [{ permissions: 31, scheme: "world", id: "anyone" }];
export const readAcl: readonly Acl[] = [{ permissions: 1, scheme: "world", id: "anyone" }];

/** The identity that `addAuth digest user:password` gives: user:base64(SHA-1(user:password)). */
export function digestIdentity(userAndPassword: string): AuthId {
  const [user = ""] = userAndPassword.split(":", 1);
  const hash = createHash("sha1").update(userAndPassword, "utf8").digest("base64");
  return { scheme: "digest", id: `${user}:${hash}` };
}

/** Whether one of the identities may do what the bits of `wanted` say (ZooKeeperServer.checkACL). */
export function isPermitted(acl: readonly Acl[], wanted: number, identities: readonly AuthId[]): boolean {
  if (acl === openAcl || acl.length === 0) return true;
  for (const entry of acl) {
    if ((entry.permissions & wanted) === 0) continue;
    if (entry.scheme === "world" && entry.id === "anyone") return true;
    for (const identity of identities) {
      if (identity.scheme !== entry.scheme) continue;
      if (entry.scheme === "ip" ? addressMatches(identity.id, entry.id) : identity.id === entry.id)
        return true;
    }
  }
  return identities.some((identity) => identity.scheme === "super");
}

/**
 * The list as it is stored: duplicates gone, `auth` replaced by the caller's identities; undefined where the server
 * answers InvalidACL (PrepRequestProcessor.fixupACL).
 *
 * Differs: of the schemes only world, auth, digest and ip (IPv4) exist, which are what a server has by default.
 */
export function resolveAcl(
  acl: readonly Acl[] | undefined,
  identities: readonly AuthId[],
): readonly Acl[] | undefined {
  if (acl === undefined || acl === openAcl) return openAcl;
  const resolved: Acl[] = [];
  const unique = acl.filter((entry, i) => acl.findIndex((other) => sameEntry(entry, other)) === i);
  if (unique.length === 0) return undefined;
  for (const entry of unique) {
    if (entry.scheme === "auth") {
      const own = identities.filter((identity) => identity.scheme === "digest");
      if (own.length === 0) return undefined;
      for (const { scheme, id } of own) resolved.push({ permissions: entry.permissions, scheme, id });
    } else if (isValidEntry(entry)) resolved.push(entry);
    else return undefined;
  }
  return sameAcl(resolved, openAcl) ? openAcl : resolved;
}

/** The list as getACL shows it to someone without ADMIN: the digests' hashes hidden. */
export function maskedAcl(acl: readonly Acl[]): readonly Acl[] {
  return acl.map((entry) =>
    entry.scheme === "digest" ? { ...entry, id: entry.id.replace(/:.*/g, ":x") } : entry,
  );
}

export function sameAcl(a: readonly Acl[], b: readonly Acl[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every((entry, i) => {
        const other = b[i];
        return other !== undefined && sameEntry(entry, other);
      }))
  );
}

function sameEntry(a: Acl, b: Acl): boolean {
  return a.permissions === b.permissions && a.scheme === b.scheme && a.id === b.id;
}

function isValidEntry(entry: Acl): boolean {
  if (entry.scheme === "world") return entry.id === "anyone";
  if (entry.scheme === "digest") return /^[^:]*:[^:]+:*$/.test(entry.id);
  if (entry.scheme === "ip") return parseBlock(entry.id) !== undefined;
  return false;
}

function parseBlock(text: string): { address: number; bits: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1, 5).map(Number);
  const bits = match[5] === undefined ? 32 : Number(match[5]);
  if (parts.some((part) => part > 255) || bits > 32) return undefined;
  return { address: parts.reduce((sum, part) => sum * 256 + part, 0), bits };
}

function addressMatches(address: string, block: string): boolean {
  const [own, allowed] = [parseBlock(address), parseBlock(block)];
  if (own === undefined || allowed === undefined) return false;
  const size = 2 ** (32 - allowed.bits);
  return Math.floor(own.address / size) === Math.floor(allowed.address / size);
}
