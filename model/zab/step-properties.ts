import { at, forAll, vacuous, type StepProperty } from "../specification/index.ts";
import { zab, type Zab } from "./state.ts";
import { txnEqual } from "./zxid.ts";
import type { Constants } from "./constants.ts";

/** What no step may do. Not in Zab.tla. */
export function stepProperties({ servers }: Constants): StepProperty<Zab>[] {
  const all = servers.members;

  /** What a server has committed stays in its history; also across a restart, when it forgets that it committed. */
  const CommittedPrefixNeverTruncated = zab.stepProperty("CommittedPrefixNeverTruncated", (before, after) =>
    forAll(all, (i) => {
      if (before.history[i] === after.history[i] || before.lastCommitted[i].index === 0) return vacuous;
      const committed = before.history[i].slice(0, before.lastCommitted[i].index);
      return (
        committed.length <= after.history[i].length &&
        committed.every((txn, index) => txnEqual(txn, at(after.history[i], index + 1)))
      );
    }),
  );

  const EpochsMonotone = zab.stepProperty("EpochsMonotone", (before, after) =>
    forAll(all, (i) => {
      const accepted = after.acceptedEpoch[i] - before.acceptedEpoch[i];
      const current = after.currentEpoch[i] - before.currentEpoch[i];
      return accepted === 0 && current === 0 ? vacuous : accepted >= 0 && current >= 0;
    }),
  );

  /** A server that stays up never takes back what it knows to be committed. */
  const CommitIndexMonotone = zab.stepProperty("CommitIndexMonotone", (before, after, action, [restarted]) =>
    forAll(all, (i) => {
      const advance = after.lastCommitted[i].index - before.lastCommitted[i].index;
      return advance === 0 || (action === "Restart" && restarted === i) ? vacuous : advance > 0;
    }),
  );

  return [CommittedPrefixNeverTruncated, EpochsMonotone, CommitIndexMonotone];
}
