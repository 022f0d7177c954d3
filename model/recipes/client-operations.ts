import type { Event, Evidence } from "../history.ts";

/*
 * How operations above znodes stand in a history: what a client does with a lock, a queue, a group, beside the
 * requests by which it does it.
 *
 * A PROCESS OF ITS OWN. Such an operation spans several requests of its client, and a process has one operation open at
 * a time. So it belongs to the process "client-N" of the worker N, while the requests belong to numbered processes. An
 * operation that ends `info` does not end this process: it is the name of a client, not of a session, and goes on.
 *
 *   invoke  the client begins: f and value as the checkers of checkers/recipes name them ("acquire-write", "dequeue")
 *   ok      it knows that it was done; evidence `session` is the session that did it
 *   fail    it knows that nothing was done, and nothing will be
 *   info    it cannot know: the reply was lost, the session has expired in between, its machine died
 *
 * An info without an invocation tells what befell the client: `lost` for a lock that it cannot be sure of any more.
 *
 * SETTLING. When all faults are undone and the ensemble serves, clients finish what they have begun and do once more
 * what shows that they can. The process "run" tells when this begins and when it has ended, `settling` and `settled`:
 * who is not through by then waits for what will never come.
 */

/** The process of what a worker does above znodes. */
export function clientProcess(worker: number): string {
  return `client-${worker}`;
}

export const runProcess = "run";

/** The event that tells that clients settle, or have settled. */
export function settlingDraft(f: "settling" | "settled"): Omit<Event, "index" | "time"> {
  return { process: runProcess, type: "info", f, value: null };
}

/** Whether it is the event of that name of the process "run". */
export function isSettling({ process, f }: Event, name: "settling" | "settled"): boolean {
  return process === runProcess && f === name;
}

/** The evidence of an operation that a session has done. */
export function doneBy(session: string | undefined): Evidence {
  return session === undefined ? {} : { session };
}
