import type { Draft, Read } from "./state.ts";
import { project, update, type FiniteSet, type Server } from "../specification/index.ts";
import type { History, Zxid } from "./zxid.ts";

/** What servers send each other, by phase. The paper's names: CEPOCH is FOLLOWERINFO and NEWEPOCH is LEADERINFO on the wire. */
export type Message =
  // discovery
  | { readonly mtype: "CEPOCH"; readonly mepoch: number }
  | { readonly mtype: "NEWEPOCH"; readonly mepoch: number }
  | { readonly mtype: "ACKEPOCH"; readonly mepoch: number; readonly mhistory: History }
  // synchronization
  | { readonly mtype: "NEWLEADER"; readonly mepoch: number; readonly mhistory: History }
  | { readonly mtype: "ACKLD"; readonly mzxid: Zxid }
  | { readonly mtype: "COMMITLD"; readonly mzxid: Zxid }
  // broadcast
  | { readonly mtype: "PROPOSE"; readonly mzxid: Zxid; readonly mdata: number }
  | { readonly mtype: "ACK"; readonly mzxid: Zxid }
  | { readonly mtype: "COMMIT"; readonly mzxid: Zxid };

export type MessageType = Message["mtype"];
/** What one server has sent to another and the other has not processed, in order. */
export type Channel = readonly Message[];

const headOf = (channel: Channel): Message | null => channel[0] ?? null;
const tailOf = (channel: Channel): Channel => channel.slice(1);
const append = (channel: Channel, message: Message): Channel => [...channel, message];

/** What `from` has sent to `to` and `to` may process next. */
export function head(now: Read, from: Server, to: Server): Message | null {
  return project(now.msgs[from], to, headOf);
}

/** `PendingCEPOCH(to, from)` and so on: the head of the channel, if it is of this type. */
export function pending<T extends MessageType>(
  now: Read,
  from: Server,
  to: Server,
  mtype: T,
): Extract<Message, { readonly mtype: T }> | undefined {
  const message = head(now, from, to);
  return message?.mtype === mtype ? (message as Extract<Message, { readonly mtype: T }>) : undefined;
}

/** `Send(i, j, m)` */
export function send(next: Draft, from: Server, to: Server, message: Message): void {
  update(next.msgs[from], to, append, message);
}

/** `Discard(i, j)` */
export function discard(next: Draft, from: Server, to: Server): void {
  update(next.msgs[from], to, tailOf);
}

/** `Reply(i, j, m)`: i takes the head of what j sent, and sends m. */
export function reply(next: Draft, i: Server, j: Server, message: Message): void {
  discard(next, j, i);
  send(next, i, j, message);
}

/** `Clean(i, j)`: the connection is gone, and with it what was under way. */
export function clean(next: Draft, i: Server, j: Server): void {
  next.msgs[i][j] = [];
  next.msgs[j][i] = [];
}

/** The leader's messages to every connected server of a book of acknowledgements that is its learner. */
export function broadcast(
  now: Read,
  next: Draft,
  leader: Server,
  recipients: FiniteSet<Server>,
  message: Message,
): void {
  for (const learner of recipients) {
    if (learner !== leader && now.learners[leader].has(learner)) send(next, leader, learner, message);
  }
}

/** A message in a few words: "NEWLEADER epoch 2, history (1,1) (2,1)". */
export function describeMessage(message: Message): string {
  switch (message.mtype) {
    case "CEPOCH":
    case "NEWEPOCH":
      return `${message.mtype} epoch ${message.mepoch}`;
    case "ACKEPOCH":
    case "NEWLEADER":
      return `${message.mtype} epoch ${message.mepoch}, history ${
        message.mhistory.map((transaction) => describeZxid(transaction.zxid)).join(" ") || "empty"
      }`;
    default:
      return `${message.mtype} ${describeZxid(message.mzxid)}`;
  }
}

function describeZxid(zxid: Zxid): string {
  return `(${zxid[0]},${zxid[1]})`;
}
