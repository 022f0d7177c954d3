import type { DiskOperation, Fault, ServerName } from "../../fault.ts";
import { toolText } from "../data-files.ts";
import { traceHost } from "../containers.ts";
import type { Member } from "../member.ts";
import { tryOut } from "../try-out.ts";
import { heldDead, hits, type Mechanism, oneLine, type Place } from "./effect.ts";

/** The server container's life that is traced, and how. */
interface Trace {
  readonly startedAt: string;
  readonly words: string;
}

const traces = new WeakMap<Member, Trace>();

/**
 * The system calls by which a server logs fail, or take longer: strace in a container of its own, which shares the
 * server's process-id namespace and dies with the server. Only the thread that logs is traced.
 */
export const logWrites: Mechanism = {
  undo: (member) => [{ step: "remove", container: member.traceContainer }],
  async settle(member, inForce) {
    const words = wordsOf(member.name, inForce);
    const before = traces.get(member);
    if (before === undefined && words.length === 0) return;
    const { running, startedAt } = await member.state();
    const alive = running && !heldDead(member.name, inForce);
    if (before !== undefined && alive && before.startedAt === startedAt && before.words === words.join(" "))
      return;
    if (before !== undefined) {
      traces.delete(member);
      await member.endTrace();
    }
    if (!alive || words.length === 0) return;
    traces.set(member, { startedAt, words: words.join(" ") });
    await member.trace(toolText("trace-log-writes.sh"), words);
  },
};

/** What trace-log-writes.sh is told: the calls to watch, then what becomes of each. */
function wordsOf(server: ServerName, inForce: readonly Fault[]): readonly string[] {
  const fails = new Set<DiskOperation>();
  let delayMs = 0;
  for (const fault of hits(server, inForce, "disk-error", "slow-disk")) {
    if (fault.kind === "disk-error") fails.add(fault.operation);
    if (fault.kind === "slow-disk") delayMs += fault.delayMs;
  }
  const injections: string[] = [];
  // Java's FileChannel.force(false), which nothing but the log uses.
  const sync = [
    ...(fails.has("fsync") ? ["error=EIO"] : []),
    ...(delayMs > 0 ? [`delay_enter=${Math.round(delayMs * 1000)}`] : []),
  ];
  if (sync.length > 0) injections.push(`inject=fdatasync:${sync.join(":")}`);
  if (fails.has("write")) injections.push("inject=write:error=EIO");
  if (injections.length === 0) return [];
  const calls = [...(sync.length > 0 ? ["fdatasync"] : []), ...(fails.has("write") ? ["write"] : [])];
  return [calls.join(","), ...injections];
}

/** Attaches to a process that opens files, and has it fail. */
export async function probeTrace({
  engine,
  labels,
  sideImage,
  sideLacks,
}: Place): Promise<string | undefined> {
  if (sideLacks !== undefined) return sideLacks;
  const script = `perl -e 'while (1) { open(F, ">", "/tmp/x"); select(undef, undef, undef, 0.01) }' &
    timeout -s INT 0.3 strace -qq -o /tmp/trace -e inject=openat:error=EIO -p $! 2>/tmp/error
    grep -q INJECTED /tmp/trace || { cat /tmp/error; false; }`;
  const { code, output } = await tryOut(engine, labels, { image: sideImage, script, host: traceHost });
  return code === 0 ? undefined : `strace works in no container here: ${oneLine(output)}`;
}
