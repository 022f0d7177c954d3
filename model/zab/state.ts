import {
  setOf,
  table,
  vocabulary,
  type FiniteSet,
  type Now,
  type PerPair,
  type PerServer,
  type Server,
  type Vocabulary,
} from "../specification/index.ts";
import type { Constants } from "./constants.ts";
import type { Channel } from "./messages.ts";
import { zxidZero, type History, type Zxid } from "./zxid.ts";

/** TLA+'s variable `state`; the paper's LOOKING is its election phase. */
export type Role = "LOOKING" | "FOLLOWING" | "LEADING";
export type Phase = "ELECTION" | "DISCOVERY" | "SYNCHRONIZATION" | "BROADCAST";

/** What a leader knows of one learner; it stays in the book, no longer connected, when the connection is lost. */
export type Entry = { readonly sid: Server; readonly connected: boolean };
export type CepochEntry = Entry & { readonly epoch: number };
export type AckeEntry = Entry & { readonly peerLastEpoch: number; readonly peerHistory: History };

/** The position of the last transaction known to be committed, from 1, and its zxid. */
export interface Committed {
  readonly index: number;
  readonly zxid: Zxid;
}

/** A broadcast transaction, as the ghost `proposalMsgsLog` keeps it. */
export type Proposal = {
  readonly source: Server;
  readonly epoch: number;
  readonly zxid: Zxid;
  readonly data: number;
};

/** `proposalMsgsLog` with these proposals. */
export function include(log: FiniteSet<Proposal>, proposals: readonly Proposal[]): FiniteSet<Proposal> {
  return log.with(...proposals);
}

/** Things that a handler believes impossible; one that happens is remembered here. */
export interface ViolatedInvariants {
  readonly stateInconsistent: boolean;
  readonly proposalInconsistent: boolean;
  readonly commitInconsistent: boolean;
  readonly ackInconsistent: boolean;
  readonly messageIllegal: boolean;
}

/** The variables of Zab.tla. */
export interface Zab {
  // all servers
  /** Differs: `state` there. */
  role: PerServer<Role>;
  zabState: PerServer<Phase>;
  /** The last NEWEPOCH accepted: f.p in the paper. */
  acceptedEpoch: PerServer<number>;
  /** The last NEWLEADER accepted: f.a in the paper. */
  currentEpoch: PerServer<number>;
  history: PerServer<History>;
  lastCommitted: PerServer<Committed>;
  // leaders
  learners: PerServer<FiniteSet<Server>>;
  cepochRecv: PerServer<FiniteSet<CepochEntry>>;
  ackeRecv: PerServer<FiniteSet<AckeEntry>>;
  ackldRecv: PerServer<FiniteSet<Entry>>;
  /** How many transactions of its epoch the leader has broadcast. */
  sendCounter: PerServer<number>;
  // followers
  /** The leader that a follower is connected to. */
  connectInfo: PerServer<Server | null>;
  // the election's oracle
  leaderOracle: Server | null;
  // the network
  msgs: PerPair<Channel>;
  // ghosts that properties read
  /** The leaders of each epoch from 1. */
  epochLeader: readonly FiniteSet<Server>[];
  proposalMsgsLog: FiniteSet<Proposal>;
  violatedInvariants: ViolatedInvariants;
  // the fields of `recorder`, one variable each: what bounds the state space
  nTimeout: number;
  nTransaction: number;
  maxEpoch: number;
  nRestart: number;
  nClientRequest: number;
  /** The last action and its arguments. Part of the published state; a view leaves it out. */
  pc: readonly (string | Server)[];
}

export type Read = Now<Zab>;
export type Draft = Zab;

export const zab: Vocabulary<Zab> = vocabulary<Zab>();

/** `Init` */
export function init({ servers, maxEpoch }: Constants): Zab {
  return {
    role: table(servers, () => "LOOKING"),
    zabState: table(servers, () => "ELECTION"),
    acceptedEpoch: table(servers, () => 0),
    currentEpoch: table(servers, () => 0),
    history: table(servers, () => []),
    lastCommitted: table(servers, () => ({ index: 0, zxid: zxidZero })),
    learners: table(servers, () => setOf()),
    cepochRecv: table(servers, () => setOf()),
    ackeRecv: table(servers, () => setOf()),
    ackldRecv: table(servers, () => setOf()),
    sendCounter: table(servers, () => 0),
    connectInfo: table(servers, () => null),
    leaderOracle: null,
    msgs: table(servers, () => table(servers, () => [])),
    epochLeader: Array.from({ length: maxEpoch }, () => setOf<Server>()),
    proposalMsgsLog: setOf(),
    violatedInvariants: {
      stateInconsistent: false,
      proposalInconsistent: false,
      commitInconsistent: false,
      ackInconsistent: false,
      messageIllegal: false,
    },
    nTimeout: 0,
    nTransaction: 0,
    maxEpoch: 0,
    nRestart: 0,
    nClientRequest: 0,
    pc: ["Init"],
  };
}

/** `violatedInvariants' = [violatedInvariants EXCEPT !.name = TRUE]` */
export function violate(now: Read, next: Draft, name: keyof ViolatedInvariants): void {
  next.violatedInvariants = { ...now.violatedInvariants, [name]: true };
}

/** The entry of a book for one learner, replaced or added: `UpdateCepochRecv`, `UpdateAckeRecv`, `UpdateAckldRecv`. */
export function updateRecv<E extends Entry>(book: FiniteSet<E>, entry: E): FiniteSet<E> {
  return book.filter((each) => each.sid !== entry.sid).with(entry);
}

/** `RemoveCepochRecv`, `RemoveAckeRecv`, `RemoveAckldRecv`: the learner's entry is no longer connected. */
export function disconnectRecv<E extends Entry>(book: FiniteSet<E>, sid: Server): FiniteSet<E> {
  return book.map((entry) => (entry.sid === sid ? { ...entry, connected: false } : entry));
}

/** The servers in a book. */
export function sids(book: FiniteSet<Entry>): FiniteSet<Server> {
  return book.map((entry) => entry.sid);
}

/** The servers in a book that are still connected. */
export function connectedSids(book: FiniteSet<Entry>): FiniteSet<Server> {
  return sids(book.filter((entry) => entry.connected));
}
