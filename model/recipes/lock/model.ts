import {
  measuring,
  opaque,
  vacuous,
  vocabulary,
  type Client,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
} from "../../specification/index.ts";
import {
  allowHerd,
  changeOf,
  couples,
  declared,
  exploration,
  herd,
  integer,
  isSpent,
  isUnaware,
  judged,
  serviceBounds,
  serviceOf,
  serviceParameters,
  wakesOne,
  type Variants,
} from "../recipe.ts";
import { clientsOf, serviceWords, treeOf, type Players, type ServiceState } from "../service/index.ts";
import { modeOf, type LockState } from "./decisions.ts";
import { locks, readWriteLocks, type LockChange } from "./variants.ts";

type Locks = ServiceState<LockState>;
const { invariant, stepProperty, witness } = vocabulary<Locks>();

const queuePath = "/lock";

function holds(now: Now<Locks>, client: Client): boolean {
  return now.client[client].phase === "holding";
}

/** It believes that it holds the lock; its session has expired, and it does not know. */
function isZombie(now: Now<Locks>, client: Client): boolean {
  return holds(now, client) && isUnaware(now, client);
}

function writes(now: Now<Locks>, client: Client): boolean {
  const locker = now.client[client];
  return locker.phase === "holding" && locker.mode === "write";
}

function waits(now: Now<Locks>, client: Client): boolean {
  const { phase } = now.client[client];
  return phase !== "free" && phase !== "releasing" && !isUnaware(now, client);
}

function build(
  name: string,
  variants: Variants<LockChange>,
  parameters: Parameters,
  variant: string | undefined,
): Model<unknown> {
  const { initial, actions } = serviceOf(parameters);
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds, true);
  const decisions = changeOf(variants, variant)(queuePath);
  const isShared = variants === readWriteLocks;
  const players: Players<LockState> = {
    all,
    decisions: () => decisions,
    begins: { commands: ["acquire-read", "acquire-write"], times: Number(parameters["times"]) },
    believes: ({ phase }) => phase === "holding",
  };
  // A writer's departure may let several readers in; nobody else's wakes more than the next.
  const counts = (path: string): boolean => path !== queuePath && (!isShared || modeOf(path) === "read");
  const woken = herd(all, counts);
  const model: Model<Locks> = {
    name,
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [initial(treeOf(queuePath), players)],
    actions: actions(players, bounds),
    invariants: [
      // A writer excludes everybody; who holds on after its session expired, unaware of it, is a zombie.
      invariant("Exclusion", couples(all), (now, a, b) => {
        if (!writes(now, a) && !writes(now, b)) return vacuous;
        return !holds(now, a) || !holds(now, b) || isZombie(now, a) || isZombie(now, b);
      }),
    ],
    stepProperties: [stepProperty("NoHerd", (before, after) => wakesOne(before, after, counts))],
    witnesses: [
      witness("SomebodyHolds", (now) => all.members.some((client) => holds(now, client))),
      ...(isShared
        ? [
            witness("TwoReadersHold", (now) =>
              couples(all).some(
                ([a, b]) => holds(now, a) && holds(now, b) && !isZombie(now, a) && !isZombie(now, b),
              ),
            ),
          ]
        : []),
      ...measuring(woken),
    ],
    recoverable: [
      {
        name: "SomebodyWillHold",
        from: (now) => isSpent(now, bounds) && all.members.some((client) => waits(now, client)),
        to: (now) => all.members.some((client) => holds(now, client) && !isZombie(now, client)),
      },
    ],
    measures: [woken],
    presentation: { step: serviceWords },
  };
  return opaque(judged(model, variants, parameters));
}

const times = integer("how often each client asks for it", 1, 1, 9);

/** A lock: one holder at a time, zombies aside. */
export const lockModel: ModelDefinition = {
  kind: "model",
  name: "lock",
  summary: "a lock by ephemeral sequential znodes, each waits for the one before it",
  source: "ZooKeeper Recipes and Solutions, Locks",
  parameters: { ...serviceParameters({ clients: 3, expiries: 1, losses: 1 }), times, ...allowHerd },
  variants: declared(locks),
  exploration,
  build: (parameters, variant) => build("lock", locks, parameters, variant),
};

/** A lock that readers share. */
export const readWriteLockModel: ModelDefinition = {
  kind: "model",
  name: "read-write-lock",
  summary: "a lock that readers share: a reader waits for the last writer before it, a writer for everybody",
  source: "ZooKeeper Recipes and Solutions, Shared Locks",
  parameters: { ...serviceParameters({ clients: 3, expiries: 1, losses: 1 }), times, ...allowHerd },
  variants: declared(readWriteLocks),
  exploration,
  build: (parameters, variant) => build("read-write-lock", readWriteLocks, parameters, variant),
};
