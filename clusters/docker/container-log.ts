import type { Container } from "dockerode";

/** What a container wrote to its standard output and error over all its lives, or its last `tail` lines. */
export async function logOf(container: Container, tail?: number): Promise<string> {
  const options = { stdout: true, stderr: true, follow: false } as const;
  return withoutStreamHeaders(await container.logs(tail === undefined ? options : { ...options, tail }));
}

/** The Engine sends both streams in pieces, each behind 8 bytes: which of them, and how long. */
function withoutStreamHeaders(bytes: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    pieces.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString("utf8");
}
