import {
  clients,
  disabled,
  each,
  opaque,
  product,
  rank,
  servers,
  setOf,
  table,
  vacuous,
  vocabulary,
  type Client,
  type FiniteSet,
  type Model,
  type ModelDefinition,
  type PerClient,
  type PerServer,
  type Server,
} from "../specification/index.ts";

/**
 * Redlock: a lock is a majority of leases on independent instances, and its holder's clock says whether it is valid.
 * Sanfilippo's algorithm with Kleppmann's objection ("How to do distributed locking", 2016); the specification is
 * that of danwt/specl (showcase), state for state. A client whose clock does not advance is paused.
 */
interface Redlock {
  globalTime: number;
  localClock: PerClient<number>;
  clientState: PerClient<"idle" | "acquiring" | "holding" | "released">;
  clientLocks: PerClient<FiniteSet<Server>>;
  /** The client's clock when it began to acquire. */
  acquireTime: PerClient<number>;
  /** How many instances it has asked; they are asked in order. */
  nextInstance: PerClient<number>;
  instanceLock: PerServer<Client | null>;
  /** In global time. */
  instanceExpiry: PerServer<number>;
}

const { action, invariant, witness } = vocabulary<Redlock>();

interface Bounds {
  readonly instances: number;
  readonly clients: number;
  readonly ttl: number;
  readonly maxTime: number;
}

function build(bounds: Bounds, variant: string | undefined): Model<Redlock> {
  const { ttl, maxTime } = bounds;
  const Clients = clients(bounds.clients, { symmetric: true });
  const Instances = servers(bounds.instances, { symmetric: false, prefix: "i" });
  const majority = Math.floor(bounds.instances / 2) + 1;

  const Tick = action("Tick", [[]], (now, next) => {
    if (now.globalTime >= maxTime) return disabled;
    next.globalTime = now.globalTime + 1;
  });

  const ClockAdvance = action("ClockAdvance", each(Clients), (now, next, c) => {
    if (now.localClock[c] >= now.globalTime) return disabled;
    next.localClock[c] = now.localClock[c] + 1;
  });

  const ExpireLock = action("ExpireLock", each(Instances), (now, next, i) => {
    if (now.instanceLock[i] === null || now.globalTime < now.instanceExpiry[i]) return disabled;
    next.instanceLock[i] = null;
  });

  const StartAcquire = action("StartAcquire", each(Clients), (now, next, c) => {
    if (now.clientState[c] !== "idle") return disabled;
    next.clientState[c] = "acquiring";
    next.acquireTime[c] = now.localClock[c];
    next.clientLocks[c] = setOf();
    next.nextInstance[c] = 0;
  });

  const TryLock = action("TryLock", product(Clients, Instances), (now, next, c, i) => {
    if (now.clientState[c] !== "acquiring" || now.nextInstance[c] !== rank(Instances, i)) return disabled;
    if (now.instanceLock[i] !== null) return disabled;
    next.instanceLock[i] = c;
    next.instanceExpiry[i] = now.globalTime + ttl;
    next.clientLocks[c] = now.clientLocks[c].with(i);
    next.nextInstance[c] = now.nextInstance[c] + 1;
  });

  const FailLock = action("FailLock", product(Clients, Instances), (now, next, c, i) => {
    if (now.clientState[c] !== "acquiring" || now.nextInstance[c] !== rank(Instances, i)) return disabled;
    if (now.instanceLock[i] === null || now.instanceLock[i] === c) return disabled;
    next.nextInstance[c] = now.nextInstance[c] + 1;
  });

  /** The validity is checked against the client's own clock. */
  const FinishAcquire = action("FinishAcquire", each(Clients), (now, next, c) => {
    if (now.clientState[c] !== "acquiring" || now.nextInstance[c] < bounds.instances) return disabled;
    if (now.clientLocks[c].size < majority || now.localClock[c] - now.acquireTime[c] >= ttl) return disabled;
    next.clientState[c] = "holding";
  });

  /** TLC yields the successor once for each reason that is true. */
  const reasons = ["no majority", "no time left"] as const;
  const FailAcquire = action(
    "FailAcquire",
    each(Clients).flatMap(([c]) => reasons.map((reason) => [c, reason] as const)),
    (now, next, c, reason) => {
      if (now.clientState[c] !== "acquiring" || now.nextInstance[c] < bounds.instances) return disabled;
      const failed =
        reason === "no majority"
          ? now.clientLocks[c].size < majority
          : now.localClock[c] - now.acquireTime[c] >= ttl;
      if (!failed) return disabled;
      next.clientState[c] = "idle";
      next.clientLocks[c] = setOf();
      for (const i of Instances.members) if (now.instanceLock[i] === c) next.instanceLock[i] = null;
    },
  );

  const ReleaseLock = action("ReleaseLock", each(Clients), (now, next, c) => {
    if (now.clientState[c] !== "holding") return disabled;
    next.clientState[c] = "released";
    for (const i of Instances.members) if (now.instanceLock[i] === c) next.instanceLock[i] = null;
  });

  return {
    name: "redlock",
    parameters: { ...bounds },
    ...(variant === undefined ? {} : { variant }),
    identities: [Clients, Instances],
    initial: [
      {
        globalTime: 0,
        localClock: table(Clients, () => 0),
        clientState: table(Clients, () => "idle"),
        clientLocks: table(Clients, () => setOf()),
        acquireTime: table(Clients, () => 0),
        nextInstance: table(Clients, () => 0),
        instanceLock: table(Instances, () => null),
        instanceExpiry: table(Instances, () => 0),
      },
    ],
    actions: [
      Tick,
      ClockAdvance,
      ExpireLock,
      StartAcquire,
      TryLock,
      FailLock,
      FinishAcquire,
      FailAcquire,
      ReleaseLock,
    ],
    invariants: [
      invariant("MutualExclusion", (now) => {
        const holding = Clients.members.filter((c) => now.clientState[c] === "holding").length;
        return holding === 0 ? vacuous : holding === 1;
      }),
    ],
    witnesses: [witness("LockHeld", (now) => Clients.members.some((c) => now.clientState[c] === "holding"))],
  };
}

/** Expected to fail: Kleppmann's counterexample. */
export const redlock: ModelDefinition = {
  kind: "model",
  name: "redlock",
  summary: "a lock of leases on a majority, which a paused client breaks",
  source: "danwt/specl, showcase; Kleppmann 2016",
  parameters: {
    instances: { kind: "integer", summary: "lock instances: N + 1", default: 3, minimum: 1, maximum: 5 },
    clients: { kind: "integer", summary: "clients: M + 1", default: 2, minimum: 1, maximum: 4 },
    ttl: { kind: "integer", summary: "ticks that a lease lives", default: 3, minimum: 1, maximum: 10 },
    maxTime: { kind: "integer", summary: "ticks of global time", default: 8, minimum: 0, maximum: 20 },
  },
  variants: {
    "as-published": {
      summary: "the algorithm as it is: a client that was paused still believes to hold the lock",
      holds: false,
      property: "MutualExclusion",
      source: "Kleppmann 2016",
    },
  },
  build(parameters, variant) {
    const { instances, clients: count, ttl, maxTime } = parameters as { [name: string]: number };
    return opaque(
      build(
        {
          instances: instances as number,
          clients: count as number,
          ttl: ttl as number,
          maxTime: maxTime as number,
        },
        variant,
      ),
    );
  },
};
