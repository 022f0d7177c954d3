import {
  clients,
  disabled,
  each,
  opaque,
  setOf,
  table,
  vacuous,
  vocabulary,
  type Client,
  type FiniteSet,
  type Model,
  type ModelDefinition,
  type PerClient,
} from "../specification/index.ts";

/**
 * A lock with a lease and a fencing token: the storage refuses whoever comes with a token lower than one it has seen,
 * so that a client that held the lock too long does no harm. Kleppmann, "How to do distributed locking", 2016; the
 * specification is DistributedLockWithFencing of Stool233/tla-plus-learn, state for state.
 */
type ClientState =
  | "init"
  | "successAcquireLock"
  | "failAcquireLock"
  | "PrepareWritingData"
  | "WritingData"
  | "RejectWriting"
  | "ReleasingLock"
  | "ReleasedLock";

interface FencingLock {
  clientState: PerClient<ClientState>;
  lockLeaseState: "unlock" | "locked";
  /** What the client believes. */
  clientHeldLockState: PerClient<"notHeldLock" | "heldLock">;
  lockClientRef: Client | null;
  storageState: "notwrite" | "writing";
  lockLastToken: number;
  storageLastToken: number;
  clientFencingToken: PerClient<number>;
  usedTokens: FiniteSet<number>;
}

const { action, invariant, stepProperty, witness } = vocabulary<FencingLock>();

function build(count: number, variant: string | undefined): Model<FencingLock> {
  const Client = clients(count, { symmetric: true });

  const ClientLocking = action("ClientLocking", each(Client), (now, next, c) => {
    if (now.clientState[c] !== "init") return disabled;
    if (now.lockLeaseState === "locked") {
      next.clientState[c] = "failAcquireLock";
      return;
    }
    next.lockLeaseState = "locked";
    next.clientState[c] = "successAcquireLock";
    next.clientHeldLockState[c] = "heldLock";
    next.lockLastToken = now.lockLastToken + 1;
    next.clientFencingToken[c] = now.lockLastToken + 1;
    next.lockClientRef = c;
  });

  const ClientPrepareWritingData = action("ClientPrepareWritingData", each(Client), (now, next, c) => {
    if (now.clientState[c] !== "successAcquireLock") return disabled;
    next.clientState[c] = "PrepareWritingData";
  });

  /** The storage accepts the write of a token that is higher than the last, and refuses any other. */
  const ClientWritingData = action("ClientWritingData", each(Client), (now, next, c) => {
    if (now.clientState[c] !== "PrepareWritingData") return disabled;
    if (now.storageState !== "notwrite" && variant !== "concurrent-storage") return disabled;
    const token = now.clientFencingToken[c];
    if (token <= now.storageLastToken && variant !== "no-fencing") {
      next.clientState[c] = "RejectWriting";
      return;
    }
    next.storageLastToken = token;
    next.clientState[c] = "WritingData";
    next.storageState = "writing";
    next.usedTokens = now.usedTokens.with(token);
  });

  const ClientWroteData = action("ClientWroteData", each(Client), (now, next, c) => {
    if (now.clientState[c] !== "WritingData") return disabled;
    next.clientState[c] = "ReleasingLock";
    next.storageState = "notwrite";
  });

  /** Whoever holds the lock by now. */
  const ClientReleaseLock = action("ClientReleaseLock", each(Client), (now, next, c) => {
    if (now.clientState[c] !== "ReleasingLock") return disabled;
    next.clientState[c] = "ReleasedLock";
    next.clientHeldLockState[c] = "notHeldLock";
    next.lockLeaseState = "unlock";
    next.lockClientRef = null;
  });

  const LockExpire = action(
    "LockExpire",
    [[]],
    (now, next) => {
      if (now.lockLeaseState !== "locked") return disabled;
      next.lockLeaseState = "unlock";
      next.lockClientRef = null;
    },
    { fault: true },
  );

  return {
    name: "fencing-lock",
    parameters: { clients: count },
    ...(variant === undefined ? {} : { variant }),
    identities: [Client],
    initial: [
      {
        clientState: table(Client, () => "init"),
        lockLeaseState: "unlock",
        clientHeldLockState: table(Client, () => "notHeldLock"),
        lockClientRef: null,
        storageState: "notwrite",
        lockLastToken: 0,
        storageLastToken: 0,
        clientFencingToken: table(Client, () => 0),
        usedTokens: setOf(),
      },
    ],
    actions: [
      LockExpire,
      ClientLocking,
      ClientPrepareWritingData,
      ClientWritingData,
      ClientWroteData,
      ClientReleaseLock,
    ],
    invariants: [
      /** `Consistent2` */
      invariant("OneWriter", (now) => {
        const writing = Client.members.filter((c) => now.clientState[c] === "WritingData").length;
        return writing === 0 ? vacuous : writing === 1;
      }),
    ],
    stepProperties: [
      /** Not in the specification: writes are accepted in the order of their tokens. */
      stepProperty("TokensInOrder", (before, after) =>
        before.storageLastToken === after.storageLastToken
          ? vacuous
          : before.storageLastToken < after.storageLastToken,
      ),
    ],
    witnesses: [
      witness(
        "TwoBelieveToHold",
        (now) => Client.members.filter((c) => now.clientHeldLockState[c] === "heldLock").length >= 2,
      ),
      witness("WriteRejected", (now) => Client.members.some((c) => now.clientState[c] === "RejectWriting")),
    ],
  };
}

export const fencingLock: ModelDefinition = {
  kind: "model",
  name: "fencing-lock",
  summary: "a leased lock whose token the storage checks",
  source: "Stool233/tla-plus-learn, DistributedLockWithFencing; Kleppmann 2016",
  parameters: {
    clients: { kind: "integer", summary: "clients", default: 3, minimum: 1, maximum: 6 },
  },
  variants: {
    "no-fencing": {
      summary: "the storage accepts any token",
      holds: false,
      property: "TokensInOrder",
      source: "Kleppmann 2016",
    },
    "concurrent-storage": {
      summary: "the storage begins a write before it has finished the one before",
      holds: false,
      property: "OneWriter",
    },
  },
  build: (parameters, variant) => opaque(build(parameters["clients"] as number, variant)),
};
