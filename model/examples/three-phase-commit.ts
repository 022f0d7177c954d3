import {
  disabled,
  each,
  forAll,
  opaque,
  servers,
  table,
  vacuous,
  vocabulary,
  type Model,
  type ModelDefinition,
  type Now,
  type PerServer,
} from "../specification/index.ts";

/**
 * Three-phase commit: a third phase, so that nobody blocks; and a partition splits it.
 * Skeen, "Nonblocking Commit Protocols", SIGMOD 1981; the specification is 3pc of FedericoPonzi/tla-plus-specs, state
 * for state: the labels of its PlusCal are actions, the branches of a label have names of ours behind the point.
 * Managers read each other's states instead of messages; who is cut off shows the state "NetworkPartitions" meanwhile.
 */
type TransactionManagerState =
  | "Initial"
  | "CanCommit"
  | "AbortedTransaction"
  | "PreCommit"
  | "DoCommit"
  | "Committed"
  | "NetworkPartitions";
type ResourceManagerState =
  "Initial" | "AcceptedCanCommit" | "AbortedTransaction" | "PreCommitted" | "Committed" | "NetworkPartitions";

interface ThreePhase {
  rmStates: PerServer<ResourceManagerState>;
  tmState: TransactionManagerState;
  proposedValue: number;
  /** Where each process is: `pc[0]` is the transaction manager's. */
  tmPc: "TM" | "TM_AB" | "TM_PRE" | "TM_DOC" | "TM_COM" | "TM_PAR" | "Done";
  rmPc: PerServer<"RM" | "RM_CAN" | "RM_PRE" | "RM_COM" | "RM_INI" | "RR" | "Done">;
  /** The state before the last partition; nobody is cut off twice in the same state. */
  tmBefore: TransactionManagerState | "";
  rmBefore: PerServer<ResourceManagerState | "">;
}

const { action, invariant, witness } = vocabulary<ThreePhase>();

const terminal = (state: string): boolean => state === "Committed" || state === "AbortedTransaction";

function build(managers: number, partitions: boolean): Model<ThreePhase> {
  const RM = servers(managers, { symmetric: true, prefix: "rm" });
  const all = RM.members;
  const everyRm = (now: Now<ThreePhase>, ...states: readonly ResourceManagerState[]): boolean =>
    all.every((rm) => states.includes(now.rmStates[rm]));
  const atTM = (now: Now<ThreePhase>): boolean => now.tmPc === "TM" && !terminal(now.tmState);

  const transactionManager = [
    action("TM.Propose", [[]], (now, next) => {
      if (!atTM(now) || now.tmState !== "Initial") return disabled;
      next.proposedValue = 1;
      next.tmState = "CanCommit";
    }),
    action(
      "TM.SeeAbort",
      each(RM),
      (now, next, rm) => {
        if (!atTM(now) || now.rmStates[rm] !== "AbortedTransaction") return disabled;
        next.tmPc = "TM_AB";
      },
      { actor: () => undefined },
    ),
    action("TM.PreCommit", [[]], (now, next) => {
      if (!atTM(now) || now.tmState !== "CanCommit" || !everyRm(now, "AcceptedCanCommit")) return disabled;
      next.tmPc = "TM_PRE";
    }),
    action("TM.DoCommit", [[]], (now, next) => {
      if (!atTM(now) || now.tmState !== "PreCommit" || !everyRm(now, "PreCommitted", "Committed"))
        return disabled;
      next.tmPc = "TM_DOC";
    }),
    action("TM.Complete", [[]], (now, next) => {
      if (!atTM(now) || now.tmState !== "DoCommit" || !everyRm(now, "Committed")) return disabled;
      next.tmPc = "TM_COM";
    }),
    action(
      "TM.Partition",
      [[]],
      (now, next) => {
        if (!partitions || !atTM(now) || now.tmBefore === now.tmState) return disabled;
        next.tmBefore = now.tmState;
        next.tmState = "NetworkPartitions";
        next.tmPc = "TM_PAR";
      },
      { fault: true },
    ),
    action(
      "TM.Timeout",
      each(RM),
      (now, next, rm) => {
        if (!atTM(now) || now.rmStates[rm] !== "NetworkPartitions") return disabled;
        next.tmState = "AbortedTransaction";
      },
      { actor: () => undefined, fault: true },
    ),
    action("TM.Done", [[]], (now, next) => {
      if (now.tmPc !== "TM" || !terminal(now.tmState)) return disabled;
      next.tmPc = "Done";
    }),
    ...(
      [
        ["TM_AB", "AbortedTransaction"],
        ["TM_PRE", "PreCommit"],
        ["TM_DOC", "DoCommit"],
        ["TM_COM", "Committed"],
      ] as const
    ).map(([label, state]) =>
      action(label, [[]], (now, next) => {
        if (now.tmPc !== label) return disabled;
        next.tmState = state;
        next.tmPc = "TM";
      }),
    ),
    action("TM_PAR", [[]], (now, next) => {
      if (now.tmPc !== "TM_PAR" || now.tmBefore === "") return disabled;
      next.tmState = now.tmBefore;
      next.tmPc = "TM";
    }),
  ];

  const atRM = (now: Now<ThreePhase>, rm: (typeof all)[number]): boolean =>
    now.rmPc[rm] === "RM" && !terminal(now.rmStates[rm]);
  const answer = (label: "RM_CAN" | "RM_PRE", yes: ResourceManagerState): typeof transactionManager =>
    [yes, "AbortedTransaction" as const].map((state) =>
      action(`${label}.${state}`, each(RM), (now, next, rm) => {
        if (now.rmPc[rm] !== label) return disabled;
        next.rmStates[rm] = state;
        next.rmPc[rm] = "RM";
      }),
    );
  const resourceManagers = [
    action("RM.CanCommit", each(RM), (now, next, rm) => {
      if (!atRM(now, rm) || now.rmStates[rm] !== "Initial" || now.tmState !== "CanCommit") return disabled;
      next.rmPc[rm] = "RM_CAN";
    }),
    action("RM.PreCommit", each(RM), (now, next, rm) => {
      if (!atRM(now, rm) || now.rmStates[rm] !== "AcceptedCanCommit" || now.tmState !== "PreCommit")
        return disabled;
      next.rmPc[rm] = "RM_PRE";
    }),
    /** Also without news of the manager: whoever has heard PreCommit commits. */
    action("RM.Commit", each(RM), (now, next, rm) => {
      if (!atRM(now, rm) || now.rmStates[rm] !== "PreCommitted") return disabled;
      if (now.tmState !== "DoCommit" && now.tmState !== "NetworkPartitions") return disabled;
      next.rmPc[rm] = "RM_COM";
    }),
    action("RM.Abort", each(RM), (now, next, rm) => {
      if (!atRM(now, rm) || now.tmState !== "AbortedTransaction") return disabled;
      next.rmPc[rm] = "RM_INI";
    }),
    action(
      "RM.Partition",
      each(RM),
      (now, next, rm) => {
        if (!partitions || !atRM(now, rm) || now.rmBefore[rm] === now.rmStates[rm]) return disabled;
        next.rmBefore[rm] = now.rmStates[rm];
        next.rmStates[rm] = "NetworkPartitions";
        next.rmPc[rm] = "RR";
      },
      { fault: true },
    ),
    action("RM.Done", each(RM), (now, next, rm) => {
      if (now.rmPc[rm] !== "RM" || !terminal(now.rmStates[rm])) return disabled;
      next.rmPc[rm] = "Done";
    }),
    ...answer("RM_CAN", "AcceptedCanCommit"),
    ...answer("RM_PRE", "PreCommitted"),
    ...(
      [
        ["RM_COM", "Committed"],
        ["RM_INI", "AbortedTransaction"],
      ] as const
    ).map(([label, state]) =>
      action(label, each(RM), (now, next, rm) => {
        if (now.rmPc[rm] !== label) return disabled;
        next.rmStates[rm] = state;
        next.rmPc[rm] = "RM";
      }),
    ),
    action("RR", each(RM), (now, next, rm) => {
      const before = now.rmBefore[rm];
      if (now.rmPc[rm] !== "RR" || before === "") return disabled;
      next.rmStates[rm] = before;
      next.rmPc[rm] = "RM";
    }),
  ];

  /** So that a finished run is no deadlock. */
  const Terminating = action("Terminating", [[]], (now) => {
    if (now.tmPc !== "Done" || all.some((rm) => now.rmPc[rm] !== "Done")) return disabled;
  });

  return {
    name: "three-phase-commit",
    parameters: { managers, partitions },
    identities: [RM],
    initial: [
      {
        rmStates: table(RM, () => "Initial"),
        tmState: "Initial",
        proposedValue: -1,
        tmPc: "TM",
        rmPc: table(RM, () => "RM"),
        tmBefore: "",
        rmBefore: table(RM, () => ""),
      },
    ],
    actions: [...transactionManager, ...resourceManagers, Terminating],
    invariants: [
      /** `Inv`: if some resource manager aborts, none commits. */
      invariant("Inv", (now) =>
        forAll(all, (rm) => {
          if (now.rmStates[rm] !== "Committed") return vacuous;
          return all.every((other) => now.rmStates[other] !== "AbortedTransaction");
        }),
      ),
    ],
    witnesses: [
      witness("AllCommit", (now) => everyRm(now, "Committed")),
      witness("AllAbort", (now) => everyRm(now, "AbortedTransaction")),
    ],
    recoverable: [
      { name: "EveryManagerDecides", to: (now) => all.every((rm) => terminal(now.rmStates[rm])) },
    ],
  };
}

/** Nobody blocks, but a partition lets one commit and another abort: variant partitions. */
export const threePhaseCommit: ModelDefinition = {
  kind: "model",
  name: "three-phase-commit",
  summary: "a third phase against blocking, which a partition splits",
  source: "FedericoPonzi/tla-plus-specs, 3-phase-commit; Skeen, SIGMOD 1981",
  parameters: {
    managers: { kind: "integer", summary: "resource managers", default: 2, minimum: 1, maximum: 5 },
    partitions: { kind: "flag", summary: "managers may be cut off for a while", default: false },
  },
  variants: {
    partitions: {
      summary: "managers may be cut off for a while",
      holds: false,
      property: "Inv",
      source: "FedericoPonzi/tla-plus-specs",
      parameters: { partitions: true },
    },
  },
  build(parameters, variant) {
    const { managers, partitions } = parameters as { managers: number; partitions: boolean };
    return opaque({ ...build(managers, partitions), ...(variant === undefined ? {} : { variant }) });
  },
};
