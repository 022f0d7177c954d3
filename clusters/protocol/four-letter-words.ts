import { createConnection } from "node:net";

import type { Zxid } from "../../model/index.ts";
import type { Role } from "../cluster.ts";

export type FourLetterWord =
  "srvr" | "ruok" | "mntr" | "stat" | "conf" | "cons" | "isro" | "wchs" | "dump" | "envi";

export interface FourLetterOptions {
  readonly host: string;
  readonly port: number;
  /** For all of it, from the dial to the last byte; 2,000 by default. */
  readonly timeoutMs?: number;
  /** 1 MiB by default; a longer reply is an error. */
  readonly replyBytesMax?: number;
}

export type FourLetterReply =
  { readonly answered: true; readonly text: string } | { readonly answered: false; readonly reason: string };

/** Asks a server one of its four-letter words. Never throws: a server that does not answer is a normal thing here. */
export function askServer(word: FourLetterWord, options: FourLetterOptions): Promise<FourLetterReply> {
  const timeoutMs = options.timeoutMs ?? 2_000;
  const replyBytesMax = options.replyBytesMax ?? 1024 * 1024;
  return new Promise((resolve) => {
    const socket = createConnection({ host: options.host, port: options.port });
    const chunks: Buffer[] = [];
    let received = 0;
    const finish = (reply: FourLetterReply): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reply);
    };
    const timer = setTimeout(
      () => finish({ answered: false, reason: `no full answer to ${word} within ${timeoutMs} ms` }),
      timeoutMs,
    );
    socket.on("connect", () => socket.write(word));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      chunks.push(chunk);
      if (received > replyBytesMax) {
        finish({ answered: false, reason: `the answer to ${word} is longer than ${replyBytesMax} bytes` });
      }
    });
    socket.on("error", (error) => finish({ answered: false, reason: error.message }));
    socket.on("close", () => {
      if (received === 0) finish({ answered: false, reason: `an empty answer to ${word}` });
      else finish({ answered: true, text: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

/** What `srvr` (and `stat`) say. */
export interface ServerStatus {
  readonly role: Role;
  /** Undefined where the server is not serving. */
  readonly zxid: Zxid | undefined;
  /** "3.9.5", as the server names itself. */
  readonly release: string | undefined;
}

/** Reads the answer to `srvr` or `stat`. A server without a quorum says so in words: its role is "none". */
export function parseServerStatus(text: string): ServerStatus {
  const line = (label: string): string | undefined => new RegExp(`^${label}: *(\\S+)`, "m").exec(text)?.[1];
  const mode = line("Mode");
  const zxid = /^Zxid: *0x([0-9a-f]{1,14})\b/m.exec(text)?.[1];
  const release = line("Zookeeper version")?.replace(/[-,].*$/, "");
  return {
    role: mode === undefined ? "none" : (roles.get(mode) ?? "none"),
    zxid: zxid === undefined ? undefined : Number.parseInt(zxid, 16),
    release,
  };
}

const roles: ReadonlyMap<string, Role> = new Map<string, Role>([
  ["leader", "leader"],
  ["follower", "follower"],
  ["observer", "observer"],
  ["standalone", "standalone"],
]);

/** Reads the answer to `mntr`: one `name<tab>value` a line. */
export function parseMonitor(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab > 0) values.set(line.slice(0, tab), line.slice(tab + 1).trim());
  }
  return values;
}
