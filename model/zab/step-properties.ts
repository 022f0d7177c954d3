import { at, each, vacuous, type StepProperty } from "../specification/index.ts";
import { zab, type Zab } from "./state.ts";
import { txnEqual } from "./zxid.ts";
import type { Constants } from "./constants.ts";

/** What no step may do. Not in Zab.tla. */
export function stepProperties({ servers }: Constants): StepProperty<Zab>[] {
  const every = each(servers);

  /** What a server has committed stays in its history; also across a restart, when it forgets that it committed. */
  const CommittedPrefixNeverTruncated = zab.stepProperty(
    "CommittedPrefixNeverTruncated",
    every,
    (before, after, i) => {
      if (before.history[i] === after.history[i] || before.lastCommitted[i].index === 0) return vacuous;
      const committed = before.history[i].slice(0, before.lastCommitted[i].index);
      return (
        committed.length <= after.history[i].length &&
        committed.every((txn, index) => txnEqual(txn, at(after.history[i], index + 1)))
      );
    },
  );

  const EpochsMonotone = zab.stepProperty("EpochsMonotone", every, (before, after, i) => {
    const accepted = after.acceptedEpoch[i] - before.acceptedEpoch[i];
    const current = after.currentEpoch[i] - before.currentEpoch[i];
    return accepted === 0 && current === 0 ? vacuous : accepted >= 0 && current >= 0;
  });

  /** A server that stays up never takes back what it knows to be committed. */
  const CommitIndexMonotone = zab.stepProperty("CommitIndexMonotone", every, (before, after, i, taken) => {
    const advance = after.lastCommitted[i].index - before.lastCommitted[i].index;
    const hasRestarted = taken.action === "Restart" && taken.parameters[0] === i;
    return advance === 0 || hasRestarted ? vacuous : advance > 0;
  });

  return [CommittedPrefixNeverTruncated, EpochsMonotone, CommitIndexMonotone];
}
