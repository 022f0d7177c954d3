import fc from "fast-check";
import {
  candidatesPath,
  type Event,
  guardPath,
  HistoryBuilder,
  isWrite,
  type Json,
  leadershipDraft,
  RequestPreparation,
  type WriteRequest,
  znodeCompletion,
  znodeInvocation,
  type ZnodeRequest,
  ZnodeServer,
} from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";

/** What the verdict of a name says: its outcome, or that nothing exercised it. */
export function outcome(verdicts: readonly Verdict[], name: string): string {
  const found = verdicts.find((verdict) => verdict.name === name);
  if (found === undefined) throw new Error(`no verdict ${name}`);
  return found.vacuous === true ? "vacuous" : found.verdict;
}

/** What a process does next: a call, and how it ends. */
export interface Move {
  readonly process: number;
  readonly f: string;
  readonly value: Json;
  /** The answer; undefined repeats the call's value. */
  readonly answer: Json | undefined;
  readonly ends: "ok" | "info" | "fail" | "open";
}

/**
 * Histories of random calls that overlap at random: each move of a process first completes what it has open, as that
 * was drawn, and then calls. A process that was not answered goes on under another number.
 */
export function histories(move: fc.Arbitrary<Move>, maxLength: number): fc.Arbitrary<readonly Event[]> {
  return fc.array(fc.tuple(move, fc.boolean()), { maxLength }).map((moves) => {
    const builder = new HistoryBuilder();
    const open = new Map<number, { readonly as: number; readonly move: Move }>();
    const names = new Map<number, number>();
    let fresh = 100;
    const complete = (process: number): void => {
      const { as, move: last } = open.get(process) ?? {};
      if (as === undefined || last === undefined) return;
      open.delete(process);
      if (last.ends === "ok") builder.ok(as, last.answer);
      else if (last.ends !== "open") builder[last.ends](as);
      if (last.ends === "info" || last.ends === "open") names.set(process, fresh++);
    };
    for (const [next, staysOpen] of moves) {
      complete(next.process);
      const as = names.get(next.process) ?? next.process;
      builder.invoke(as, next.f, next.value);
      open.set(next.process, { as, move: next });
      if (!staysOpen) complete(next.process);
    }
    for (const process of [...open.keys()]) complete(process);
    return builder.events;
  });
}

/** Mostly answered. */
export const endings: fc.Arbitrary<Move["ends"]> = fc.oneof(
  { weight: 8, arbitrary: fc.constant("ok" as const) },
  { weight: 1, arbitrary: fc.constantFrom("info" as const, "fail" as const, "open" as const) },
);

/** Records what clients of one server do. */
export class ElectionRecorder {
  readonly builder: HistoryBuilder = new HistoryBuilder();
  readonly #server = new ZnodeServer<string>({ deliver: () => {} });
  readonly #leader = new RequestPreparation(this.#server.tree, { checkSessions: false });
  #zxid = 0;

  /** The czxid of what was created, 0 else. */
  act(process: number, request: ZnodeRequest): number {
    const session = `0x${process + 1}`;
    this.builder.add(znodeInvocation(process, request));
    let answer;
    if (isWrite(request)) {
      const header = { session, cxid: 0, zxid: ++this.#zxid, timeMs: 0 };
      answer = this.#server.apply(header, this.#leader.prepare(header, request as WriteRequest));
      this.#leader.applied(this.#zxid);
    } else answer = this.#server.answer(request as never, session);
    const where = { session, server: "server-1" };
    this.builder.add(znodeCompletion(process, request, { outcome: "answered", answer, xid: 1 }, where));
    return answer.error === null ? (answer.result.stat?.czxid ?? 0) : 0;
  }

  create(process: number, path: string, mode: "persistent" | "ephemeral-sequential" = "persistent"): number {
    return this.act(process, { op: "create", path, data: "", mode });
  }

  believe(f: "lead" | "step", process: number, node: string, token: number): void {
    const candidate = `${candidatesPath}/${node}`;
    const shared = { process, session: `0x${process + 1}`, candidate, token };
    this.builder.add(leadershipDraft(f === "lead" ? { f, ...shared } : { f, ...shared, reason: "resigned" }));
  }
}

/** An ensemble of one server, with the znodes of an election. */
export function election(): ElectionRecorder {
  const recorder = new ElectionRecorder();
  for (const path of ["/zabcheck", "/zabcheck/leader-election", candidatesPath, guardPath])
    recorder.create(0, path);
  return recorder;
}
