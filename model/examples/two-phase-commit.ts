import {
  each,
  forAll,
  opaque,
  servers,
  setOf,
  disabled,
  table,
  vacuous,
  vocabulary,
  type FiniteSet,
  type Invariant,
  type Model,
  type ModelDefinition,
  type PerServer,
  type Server,
} from "../specification/index.ts";

/**
 * Two-phase commit: a transaction manager (TM) asks resource managers (RMs), and all commit or all abort.
 * Gray, "Notes on Data Base Operating Systems", 1978; the specification is TwoPhase of tlaplus/Examples
 * (transaction_commit), state for state. Messages stay for ever, so that losing one is never receiving it.
 */
type Message = { readonly type: "Prepared"; readonly rm: Server } | { readonly type: "Commit" | "Abort" };

interface TwoPhase {
  rmState: PerServer<"working" | "prepared" | "committed" | "aborted">;
  /** Differs: `crashed` only with the variant manager-crashes. */
  tmState: "init" | "committed" | "aborted" | "crashed";
  tmPrepared: FiniteSet<Server>;
  msgs: FiniteSet<Message>;
}

const { action, witness } = vocabulary<TwoPhase>();

function build(managers: number, variant: string | undefined): Model<TwoPhase> {
  const RM = servers(managers, { symmetric: true, prefix: "rm" });
  const all = RM.members;

  const TMRcvPrepared = action(
    "TMRcvPrepared",
    each(RM),
    (now, next, rm) => {
      if (now.tmState !== "init" || !now.msgs.has({ type: "Prepared", rm })) return disabled;
      next.tmPrepared = now.tmPrepared.with(rm);
    },
    { actor: () => undefined },
  );

  const TMCommit = action("TMCommit", [[]], (now, next) => {
    if (now.tmState !== "init") return disabled;
    if (now.tmPrepared.size < all.length && variant !== "unprepared-commit") return disabled;
    next.tmState = "committed";
    next.msgs = now.msgs.with({ type: "Commit" });
  });

  const TMAbort = action("TMAbort", [[]], (now, next) => {
    if (now.tmState !== "init") return disabled;
    next.tmState = "aborted";
    next.msgs = now.msgs.with({ type: "Abort" });
  });

  const RMPrepare = action("RMPrepare", each(RM), (now, next, rm) => {
    if (now.rmState[rm] !== "working") return disabled;
    next.rmState[rm] = "prepared";
    next.msgs = now.msgs.with({ type: "Prepared", rm });
  });

  const RMChooseToAbort = action("RMChooseToAbort", each(RM), (now, next, rm) => {
    if (now.rmState[rm] !== "working") return disabled;
    next.rmState[rm] = "aborted";
  });

  const RMRcvCommitMsg = action("RMRcvCommitMsg", each(RM), (now, next, rm) => {
    if (!now.msgs.has({ type: "Commit" })) return disabled;
    next.rmState[rm] = "committed";
  });

  const RMRcvAbortMsg = action("RMRcvAbortMsg", each(RM), (now, next, rm) => {
    if (!now.msgs.has({ type: "Abort" })) return disabled;
    next.rmState[rm] = "aborted";
  });

  /** Not in the specification: the manager is gone for good, and whoever is prepared waits for it. */
  const TMCrash = action(
    "TMCrash",
    [[]],
    (now, next) => {
      if (now.tmState !== "init") return disabled;
      next.tmState = "crashed";
    },
    { fault: true },
  );

  return {
    name: "two-phase-commit",
    parameters: { managers },
    ...(variant === undefined ? {} : { variant }),
    identities: [RM],
    initial: [{ rmState: table(RM, () => "working"), tmState: "init", tmPrepared: setOf(), msgs: setOf() }],
    actions: [
      TMCommit,
      TMAbort,
      TMRcvPrepared,
      RMPrepare,
      RMChooseToAbort,
      RMRcvCommitMsg,
      RMRcvAbortMsg,
      ...(variant === "manager-crashes" ? [TMCrash] : []),
    ],
    invariants: [consistent(all) as Invariant<TwoPhase>],
    witnesses: [
      witness("AllCommit", (now) => all.every((rm) => now.rmState[rm] === "committed")),
      witness("AllAbort", (now) => all.every((rm) => now.rmState[rm] === "aborted")),
    ],
    recoverable: [{ name: "EveryManagerDecides", to: (now) => all.every((rm) => decided(now.rmState[rm])) }],
  };
}

/** `TCConsistent`: no resource manager aborts while another commits. */
export function consistent(all: readonly Server[]): Invariant<{ rmState: PerServer<string> }> {
  return vocabulary<{ rmState: PerServer<string> }>().invariant("TCConsistent", (now) =>
    forAll(all, (rm) => {
      if (now.rmState[rm] !== "committed") return vacuous;
      return all.every((other) => now.rmState[other] !== "aborted");
    }),
  );
}

/** Whether a resource manager has committed or aborted. */
export function decided(state: string): boolean {
  return state === "committed" || state === "aborted";
}

/** Safe, but a crash of the manager blocks whoever is prepared: variant manager-crashes. */
export const twoPhaseCommit: ModelDefinition = {
  kind: "model",
  name: "two-phase-commit",
  summary: "a manager decides for all, and blocks them when it crashes",
  source: "tlaplus/Examples, transaction_commit/TwoPhase; Gray 1978",
  parameters: {
    managers: { kind: "integer", summary: "resource managers", default: 3, minimum: 1, maximum: 10 },
  },
  variants: {
    "manager-crashes": {
      summary: "the transaction manager may crash before it decides",
      holds: false,
      property: "EveryManagerDecides",
      source: "Gray 1978",
    },
    "unprepared-commit": {
      summary: "the transaction manager commits without waiting for every resource manager",
      holds: false,
      property: "TCConsistent",
    },
  },
  build: (parameters, variant) => opaque(build(parameters["managers"] as number, variant)),
};
