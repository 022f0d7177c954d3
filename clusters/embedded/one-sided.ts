import {
  disabled,
  setOf,
  vocabulary,
  type Action,
  type FiniteSet,
  type Server,
  type Value,
  type Zab,
} from "../../model/index.ts";

const { action } = vocabulary<Zab>();

type Entry = { readonly [name: string]: Value } & { readonly sid: Server; readonly connected: boolean };

/**
 * What happens to servers, one end of a connection at a time, in the language of the model.
 *
 * Differs from Zab.tla, where Timeout(i, j) ends a connection at both ends in one step, takes the other learners with
 * it when the leader has no quorum left, and Restart does so to the partners of who restarts. Real ends notice for
 * themselves, so that a deposed leader goes on for a while: it logs requests that nobody will acknowledge, and
 * answers reads. Each of these steps is a part of a Timeout or of a Restart; protocol steps are those of Zab.tla.
 *
 * What is under way is lost when the first end closes. What a leader broadcasts to a learner that has closed stays in
 * the channel, unread, until the leader closes its end (FilterNonexistentMessage has no place here).
 */
export const FollowerTimeout: Action<Zab> = action("FollowerTimeout", [], (now, next, j: Server) => {
  if (now.role[j] !== "FOLLOWING") return disabled;
  followerCloses(now as Zab, next, j);
});

/** The leader gives up one learner, whether or not a quorum is left. */
export const LeaderTimeout: Action<Zab> = action("LeaderTimeout", [], (now, next, i: Server, j: Server) => {
  if (now.role[i] !== "LEADING" || i === j || !(now as Zab).learners[i].has(j)) return disabled;
  const books = now as Zab;
  next.learners[i] = books.learners[i].without(j);
  next.cepochRecv[i] = disconnected(books.cepochRecv[i], j);
  next.ackeRecv[i] = disconnected(books.ackeRecv[i], j);
  next.ackldRecv[i] = disconnected(books.ackldRecv[i], j);
  clean(next, i, j);
});

/** The leader gives up its office. */
export const LeaderShutdown: Action<Zab> = action("LeaderShutdown", [], (now, next, i: Server) => {
  if (now.role[i] !== "LEADING") return disabled;
  leaderCloses(now as Zab, next, i);
});

/** A server crashes, and its epochs and history survive. Its partners do not know yet. */
export const Restart: Action<Zab> = action("Restart", [], (now, next, i: Server) => {
  if (now.role[i] === "LEADING") leaderCloses(now as Zab, next, i);
  if (now.role[i] === "FOLLOWING") followerCloses(now as Zab, next, i);
  next.lastCommitted[i] = { index: 0, zxid: [0, 0] };
});

export const oneSided: readonly Action<Zab>[] = [FollowerTimeout, LeaderTimeout, LeaderShutdown, Restart];

function followerCloses(now: Zab, next: Zab, j: Server): void {
  const leader = now.connectInfo[j];
  if (leader !== null) clean(next, leader, j);
  next.role[j] = "LOOKING";
  next.zabState[j] = "ELECTION";
  next.connectInfo[j] = null;
}

function leaderCloses(now: Zab, next: Zab, i: Server): void {
  for (const learner of now.learners[i]) if (learner !== i) clean(next, i, learner);
  next.learners[i] = setOf();
  next.role[i] = "LOOKING";
  next.zabState[i] = "ELECTION";
}

function clean(next: Zab, i: Server, j: Server): void {
  next.msgs[i][j] = [];
  next.msgs[j][i] = [];
}

/** The learner's entry of a book, no longer connected. */
function disconnected<E extends Entry>(book: FiniteSet<E>, sid: Server): FiniteSet<E> {
  return book.map((entry) => (entry.sid === sid ? { ...entry, connected: false } : entry));
}
