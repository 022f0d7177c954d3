import { canonical, type Client, type FiniteSet, type Server } from "../specification/index.ts";

export type LogEntry = { readonly term: number; readonly value: Client };

type Envelope = { readonly mterm: number; readonly msource: Server; readonly mdest: Server };

export type Message = Envelope &
  (
    | {
        readonly mtype: "RequestVoteRequest";
        readonly mlastLogTerm: number;
        readonly mlastLogIndex: number;
      }
    | { readonly mtype: "RequestVoteResponse"; readonly mvoteGranted: boolean }
    | {
        readonly mtype: "AppendEntriesRequest";
        readonly mprevLogIndex: number;
        readonly mprevLogTerm: number;
        readonly mentries: readonly LogEntry[];
        readonly mcommitIndex: number;
      }
    | {
        readonly mtype: "AppendEntriesResponse";
        readonly msuccess: boolean;
        readonly mmatchIndex: number;
      }
  );

/** A function from messages to how often each is to be delivered; 0 for one that was delivered. */
export type Bag = FiniteSet<readonly [message: Message, count: number]>;

/** The messages that were ever sent. */
export function everSent(bag: Bag): FiniteSet<Message> {
  return bag.map(([message]) => message);
}

/** The messages of a type that are still to be delivered. */
export function undelivered(bag: Bag, mtype: Message["mtype"]): FiniteSet<Message> {
  return everSent(bag.filter(([message, times]) => times > 0 && message.mtype === mtype));
}

/** Whether it was ever sent. */
export function has(bag: Bag, message: Message): boolean {
  return count(bag, message) !== undefined;
}

export function put(bag: Bag, message: Message): Bag {
  return change(bag, message, 1);
}

export function receive(bag: Bag, message: Message): Bag {
  return change(bag, message, -1);
}

function change(bag: Bag, message: Message, difference: number): Bag {
  const before = count(bag, message);
  if (before === undefined) return bag.with([message, difference]);
  return bag.without([message, before]).with([message, before + difference]);
}

function count(bag: Bag, message: Message): number | undefined {
  const key = canonical(message);
  return bag.find(([each]) => canonical(each) === key)?.[1];
}
