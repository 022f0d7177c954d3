import {
  opaque,
  table,
  vacuous,
  vocabulary,
  type Action,
  type Client,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
} from "../../specification/index.ts";
import {
  changeOf,
  couples,
  declared,
  isSpent,
  serviceBounds,
  serviceParameters,
  wakesOne,
  type Variants,
} from "../recipe.ts";
import {
  clientsOf,
  initialService,
  serviceActions,
  treeOf,
  type Program,
  type ProgramState,
} from "../service/index.ts";
import { lockProgram, modeOf, queuePath, recipeBlockers, type Locker, type Mode } from "./decisions.ts";
import { fixedPathProgram } from "./fixed-path.ts";

type Locks = ProgramState<Locker>;
const { invariant, stepProperty, witness } = vocabulary<Locks>();

interface Change {
  readonly program: (times: number) => Program<Locker>;
}

function holds(now: Now<Locks>, client: Client): boolean {
  return now.client[client].phase === "holding";
}

/** Its session has expired, and it does not know. */
function isZombie(now: Now<Locks>, client: Client): boolean {
  return holds(now, client) && !now.session[client].alive;
}

function writes(now: Now<Locks>, client: Client): boolean {
  const locker = now.client[client];
  return locker.phase === "holding" && locker.mode === "write";
}

function waits(now: Now<Locks>, client: Client): boolean {
  const { phase } = now.client[client];
  return phase !== "free" && phase !== "releasing" && now.session[client].alive;
}

function build(
  name: string,
  variants: Variants<Change>,
  parameters: Parameters,
  variant?: string,
): Model<unknown> {
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds);
  const program = changeOf(variants, variant).program(Number(parameters["times"]));
  const model: Model<Locks> = {
    name,
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initialService(treeOf(queuePath), all), client: table(all, program.start) }],
    actions: serviceActions(program, all, bounds) as unknown as Action<Locks>[],
    invariants: [
      // A writer excludes everybody; who holds on after its session expired, unaware of it, is a zombie.
      invariant("Exclusion", couples(all), (now, a, b) => {
        if (!writes(now, a) && !writes(now, b)) return vacuous;
        return !holds(now, a) || !holds(now, b) || isZombie(now, a) || isZombie(now, b);
      }),
    ],
    stepProperties: [
      // A writer's departure may let several readers in; nobody else's wakes more than the next.
      stepProperty("NoHerd", (before, after) =>
        wakesOne(before, after, all, (path) => variants === locks || modeOf(path) === "read"),
      ),
    ],
    witnesses: [
      witness("SomebodyHolds", (now) => all.members.some((client) => holds(now, client))),
      ...(variants === locks
        ? []
        : [
            witness("TwoReadersHold", (now) =>
              couples(all).some(
                ([a, b]) => holds(now, a) && holds(now, b) && !isZombie(now, a) && !isZombie(now, b),
              ),
            ),
          ]),
    ],
    recoverable: [
      {
        name: "SomebodyWillHold",
        from: (now) => isSpent(now, bounds) && all.members.some((client) => waits(now, client)),
        to: (now) => all.members.some((client) => holds(now, client) && !isZombie(now, client)),
      },
    ],
  };
  return opaque(model);
}

const both: readonly Mode[] = ["read", "write"];

const locks: Variants<Change> = {
  recipe: {
    summary: "the recipe",
    holds: true,
    change: { program: (times) => lockProgram(["write"], times, { blockers: recipeBlockers }) },
  },
  "fixed-path": {
    summary: "released by deleting a fixed path: after an expired session that is the next holder's znode",
    holds: false,
    property: "Exclusion",
    source: "locks that are released without asking who owns them",
    parameters: { clients: 3, "sessions-expire": 1, "connection-losses": 0, times: 1 },
    change: { program: (times) => fixedPathProgram(times, false) },
  },
  "fixed-path-never-held": {
    summary: "released by deleting a fixed path, also by a client that gave up waiting and never held it",
    holds: false,
    property: "Exclusion",
    source: "locks that are released in a finally block",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: { program: (times) => fixedPathProgram(times, true) },
  },
  "watch-all": {
    summary: "everybody watches all those before it: right, but each departure wakes all that wait",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Locks: no herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: { program: (times) => lockProgram(["write"], times, { blockers: (ahead) => ahead }) },
  },
  "lost-wake-up": {
    summary: "a client waits for a predecessor that went before it could be watched",
    holds: false,
    property: "SomebodyWillHold",
    source: "ZooKeeper Recipes and Solutions, Locks, step 5: if exists returns null, go to step 2",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: {
      program: (times) => lockProgram(["write"], times, { blockers: recipeBlockers, waitsForNobody: true }),
    },
  },
};

const readWriteLocks: Variants<Change> = {
  recipe: {
    summary: "the recipe",
    holds: true,
    change: { program: (times) => lockProgram(both, times, { blockers: recipeBlockers }) },
  },
  "readers-watch-all": {
    summary: "readers watch every predecessor, readers too: right, but a herd",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Shared Locks: herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: {
      program: (times) =>
        lockProgram(both, times, {
          blockers: (ahead, mode) =>
            recipeBlockers(ahead, mode).length === 0 ? [] : mode === "read" ? ahead : ahead.slice(-1),
        }),
    },
  },
  "writers-ignore-readers": {
    summary: "a writer waits for writers alone",
    holds: false,
    property: "Exclusion",
    source: "the reader's rule, used for writers too",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: {
      program: (times) =>
        lockProgram(both, times, {
          blockers: (ahead) => ahead.filter((node) => modeOf(node) === "write").slice(-1),
        }),
    },
  },
  "lost-wake-up": {
    summary: "a client waits for a predecessor that went before it could be watched",
    holds: false,
    property: "SomebodyWillHold",
    source: "ZooKeeper Recipes and Solutions, Locks, step 5: if exists returns null, go to step 2",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, times: 1 },
    change: {
      program: (times) => lockProgram(both, times, { blockers: recipeBlockers, waitsForNobody: true }),
    },
  },
};

const times = {
  kind: "integer",
  summary: "how often each client asks for it",
  default: 1,
  minimum: 1,
  maximum: 9,
} as const;

/** A lock: one holder at a time, zombies aside. */
export const lockModel: ModelDefinition = {
  kind: "model",
  name: "lock",
  summary: "a lock by ephemeral sequential znodes, each waits for the one before it",
  source: "ZooKeeper Recipes and Solutions, Locks",
  parameters: { ...serviceParameters({ clients: 3, expiries: 1, losses: 1 }), times },
  variants: declared(locks),
  build: (parameters, variant) => build("lock", locks, parameters, variant),
};

/** A lock that readers share. */
export const readWriteLockModel: ModelDefinition = {
  kind: "model",
  name: "read-write-lock",
  summary: "a lock that readers share: a reader waits for the last writer before it, a writer for everybody",
  source: "ZooKeeper Recipes and Solutions, Shared Locks",
  parameters: { ...serviceParameters({ clients: 3, expiries: 1, losses: 0 }), times },
  variants: declared(readWriteLocks),
  build: (parameters, variant) => build("read-write-lock", readWriteLocks, parameters, variant),
};
