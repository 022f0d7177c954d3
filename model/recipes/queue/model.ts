import {
  forAll,
  opaque,
  table,
  vacuous,
  vocabulary,
  type Action,
  type IdentitySet,
  type Client,
  type Invariant,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
} from "../../specification/index.ts";
import { changeOf, declared, serviceBounds, serviceParameters, type Variants } from "../recipe.ts";
import {
  childrenOf,
  clientsOf,
  find,
  initialService,
  serviceActions,
  treeOf,
  type ProgramState,
} from "../service/index.ts";
import { donePath, queuePath, queueProgram, type Consumer, type QueueConduct } from "./program.ts";

type Queue = ProgramState<Consumer>;
const { invariant, witness } = vocabulary<Queue>();

/** Everything that was processed, client by client. With a multi the tree tells. */
function processed(now: Now<Queue>, all: IdentitySet<Client>, conduct: QueueConduct): readonly string[] {
  if (conduct.delivery === "multi") return childrenOf(now.tree, donePath);
  return all.members.flatMap((client) => now.client[client].taken);
}

function promises(all: IdentitySet<Client>, conduct: QueueConduct): Invariant<Queue>[] {
  const { delivery } = conduct;
  const onceAtMost = invariant("NothingTwice", (now) => {
    const elements = processed(now, all, conduct);
    return elements.length === 0 ? vacuous : new Set(elements).size === elements.length;
  });
  const nothingLost = invariant("NothingLost", (now) => {
    const queue = childrenOf(now.tree, queuePath);
    const created = find(now.tree, queuePath)?.created ?? 0;
    const gone = new Set(processed(now, all, conduct));
    return created === 0 ? vacuous : new Set([...queue, ...gone]).size === created;
  });
  const inOrder = invariant("FirstInFirstOut", (now) =>
    forAll(all.members, (client) => {
      const sequences = now.client[client].taken.map((element) => Number(element.slice(-10)));
      return sequences.length < 2
        ? vacuous
        : sequences.every((n, i) => i === 0 || n >= (sequences[i - 1] ?? 0));
    }),
  );
  switch (delivery) {
    case "at-most-once":
      return [onceAtMost, inOrder];
    case "at-least-once":
      return [nothingLost, inOrder];
    case "multi":
      return [onceAtMost, nothingLost];
  }
}

const variants: Variants<QueueConduct> = {
  recipe: {
    summary: "at most once: deleted, then processed",
    holds: true,
    change: { delivery: "at-most-once" },
  },
  "at-least-once": {
    summary: "processed, then deleted: nothing is lost, an element may be processed twice",
    holds: true,
    change: { delivery: "at-least-once" },
  },
  multi: {
    summary: "moved to the done in one multi: exactly once",
    holds: true,
    change: { delivery: "multi" },
  },
  careless: {
    summary: "takes any element of an unordered list, and does not look at what its deletion answers",
    holds: false,
    property: "NothingTwice",
    source: "queues over an unordered list of children, deleted without a check",
    parameters: { clients: 2, "connection-losses": 0, puts: 1, crashes: 0 },
    change: { delivery: "at-most-once", careless: true },
  },
  "last-first": {
    summary: "takes an element as a server happened to list it",
    holds: false,
    property: "FirstInFirstOut",
    source: "getChildren promises no order",
    parameters: { clients: 1, "connection-losses": 0, puts: 2, crashes: 0 },
    change: { delivery: "at-most-once", careless: true },
  },
  "exactly-once-by-deletion": {
    summary: "deletes first and expects that nothing is lost: a crash or a lost reply loses an element",
    holds: false,
    property: "NothingLost",
    source: "ZooKeeper Recipes and Solutions, Queues, read as exactly once",
    parameters: { clients: 1, "connection-losses": 1, puts: 1, crashes: 0 },
    change: { delivery: "at-most-once" },
  },
  "exactly-once-by-processing": {
    summary: "processes first and expects that nothing is processed twice",
    holds: false,
    property: "NothingTwice",
    source: "ZooKeeper Recipes and Solutions, Queues, read as exactly once",
    parameters: { clients: 2, "connection-losses": 0, puts: 1, crashes: 0 },
    change: { delivery: "at-least-once" },
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds);
  const conduct = changeOf(variants, variant);
  const program = queueProgram(conduct, Number(parameters["puts"]), Number(parameters["crashes"]));
  // Who expects exactly once is held to the promises of a multi, whatever the queue delivers.
  const expected =
    variant?.startsWith("exactly-once") === true ? promisesOfBoth(all, conduct) : promises(all, conduct);
  const model: Model<Queue> = {
    name: "queue",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initialService(treeOf(queuePath, donePath), all), client: table(all, program.start) }],
    actions: serviceActions(program, all, bounds) as unknown as Action<Queue>[],
    invariants: expected,
    witnesses: [
      witness("SomethingIsProcessed", (now) => processed(now, all, conduct).length > 0),
      witness("TwoAreProcessed", (now) => processed(now, all, conduct).length > 1),
    ],
  };
  return opaque(model);
}

/** What at most once and at least once promise together. */
function promisesOfBoth(all: IdentitySet<Client>, conduct: QueueConduct): Invariant<Queue>[] {
  const most = promises(all, { ...conduct, delivery: "at-most-once" });
  const least = promises(all, { ...conduct, delivery: "at-least-once" });
  return [...most, ...least.filter(({ name }) => !most.some((other) => other.name === name))];
}

/** A queue of elements, each processed at most once, at least once, or once. */
export const queueModel: ModelDefinition = {
  kind: "model",
  name: "queue",
  summary: "a queue of persistent sequential znodes, taken in their order",
  source: "ZooKeeper Recipes and Solutions, Queues",
  parameters: {
    ...serviceParameters({ clients: 2, expiries: 0, losses: 1 }),
    puts: { kind: "integer", summary: "elements that each client puts", default: 1, minimum: 0, maximum: 9 },
    crashes: {
      kind: "integer",
      summary: "how often each client may crash",
      default: 1,
      minimum: 0,
      maximum: 9,
    },
  },
  variants: declared(variants),
  build,
};
