import {
  forAll,
  opaque,
  table,
  vacuous,
  vocabulary,
  type Client,
  type IdentitySet,
  type Invariant,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
  type PerClient,
} from "../../specification/index.ts";
import { nodeName, sequenceNumber } from "../../sequential/index.ts";
import {
  changeOf,
  declared,
  exploration,
  followed,
  integer,
  serviceBounds,
  serviceOf,
  serviceParameters,
  type Variants,
} from "../recipe.ts";
import {
  childrenOf,
  clientsOf,
  find,
  serviceWords,
  treeOf,
  type Players,
  type ServiceState,
} from "../service/index.ts";
import { consumerDecisions, type ConsumerDecisions, type ConsumerState, type Delivery } from "./decisions.ts";
import { takesAny } from "./mistakes.ts";

interface Queue extends ServiceState<ConsumerState> {
  /** What each client has processed, in this order: outside effects, which no crash undoes. */
  processed: PerClient<readonly string[]>;
}
const { invariant, witness } = vocabulary<Queue>();

const paths = { queue: "/queue", done: "/done" } as const;

/** What a variant changes, and which promises it is held to. */
interface Change {
  readonly delivery: Delivery;
  readonly promises: readonly ("NothingTwice" | "NothingLost" | "FirstInFirstOut")[];
  readonly mistake?: (recipe: ConsumerDecisions, queue: string) => ConsumerDecisions;
}

/** Everything that was processed, client by client. With a multi the tree tells. */
function processed(now: Now<Queue>, all: IdentitySet<Client>, { delivery }: Change): readonly string[] {
  if (delivery === "multi") return childrenOf(now.tree, paths.done);
  return all.members.flatMap((client) => now.processed[client]);
}

function promises(all: IdentitySet<Client>, change: Change): Invariant<Queue>[] {
  return [
    invariant("NothingTwice", (now) => {
      const elements = processed(now, all, change);
      return elements.length === 0 ? vacuous : new Set(elements).size === elements.length;
    }),
    invariant("NothingLost", (now) => {
      const queue = childrenOf(now.tree, paths.queue);
      const created = find(now.tree, paths.queue)?.created ?? 0;
      // Who is about to process an element has not lost it.
      const held = all.members.flatMap((client) => {
        const consumer = now.client[client];
        return consumer.phase === "processing" ? [consumer.element] : [];
      });
      const known = new Set([...queue, ...held, ...processed(now, all, change)]);
      return created === 0 ? vacuous : known.size === created;
    }),
    invariant("FirstInFirstOut", (now) =>
      forAll(all.members, (client) => {
        const sequences = now.processed[client].map((element) => sequenceNumber(element) ?? 0);
        return sequences.length < 2
          ? vacuous
          : sequences.every((n, i) => i === 0 || n >= (sequences[i - 1] ?? 0));
      }),
    ),
  ].filter(({ name }) => change.promises.some((promised) => promised === name));
}

const variants: Variants<Change> = {
  recipe: {
    summary: "at most once: deleted, then processed",
    holds: true,
    change: { delivery: "at-most-once", promises: ["NothingTwice", "FirstInFirstOut"] },
  },
  "at-least-once": {
    summary: "processed, then deleted: nothing is lost, an element may be processed twice",
    holds: true,
    change: { delivery: "at-least-once", promises: ["NothingLost"] },
  },
  multi: {
    summary: "moved to the done in one multi: exactly once",
    holds: true,
    change: { delivery: "multi", promises: ["NothingTwice", "NothingLost"] },
  },
  careless: {
    summary: "takes any element of an unordered list, and does not look at what its deletion answers",
    holds: false,
    property: "NothingTwice",
    source: "queues over an unordered list of children, deleted without a check",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, puts: 1 },
    change: { delivery: "at-most-once", promises: ["NothingTwice"], mistake: takesAny },
  },
  "last-first": {
    summary: "takes an element as a server happened to list it",
    holds: false,
    property: "FirstInFirstOut",
    source: "getChildren promises no order",
    parameters: { clients: 1, "sessions-expire": 0, "connection-losses": 0, puts: 2 },
    change: { delivery: "at-most-once", promises: ["FirstInFirstOut"], mistake: takesAny },
  },
  "exactly-once-by-deletion": {
    summary: "deletes first and expects that nothing is lost: a crash or a lost reply loses an element",
    holds: false,
    property: "NothingLost",
    source: "ZooKeeper Recipes and Solutions, Queues, read as exactly once",
    parameters: { clients: 1, "sessions-expire": 1, "connection-losses": 0, puts: 1 },
    change: { delivery: "at-most-once", promises: ["NothingTwice", "NothingLost"] },
  },
  "exactly-once-by-processing": {
    summary: "processes first and expects that nothing is processed twice",
    holds: false,
    property: "NothingTwice",
    source: "ZooKeeper Recipes and Solutions, Queues, read as exactly once",
    parameters: { clients: 1, "sessions-expire": 1, "connection-losses": 0, puts: 1 },
    change: { delivery: "at-least-once", promises: ["NothingTwice", "NothingLost"] },
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const { initial, actions } = serviceOf(parameters);
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds, true);
  const change = changeOf(variants, variant);
  const recipe = consumerDecisions(paths, change.delivery);
  const decisions = change.mistake?.(recipe, paths.queue) ?? recipe;
  const players: Players<ConsumerState> = {
    all,
    decisions: () => decisions,
    begins: { commands: ["put"], times: Number(parameters["puts"]) },
    believes: ({ phase }) => phase === "processing",
  };
  const model: Model<Queue> = {
    name: "queue",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initial(treeOf(paths.queue, paths.done), players), processed: table(all, () => []) }],
    actions: followed<ConsumerState, Queue>(actions(players, bounds), (next, client, before, taken) => {
      if (taken.parameters[1] !== "processed" || before.phase !== "processing") return;
      next.processed[client] = [...next.processed[client], nodeName(before.element)];
    }),
    invariants: promises(all, change),
    witnesses: [
      witness("SomethingIsProcessed", (now) => processed(now, all, change).length > 0),
      witness("TwoAreProcessed", (now) => processed(now, all, change).length > 1),
    ],
    presentation: { step: serviceWords },
  };
  return opaque(model);
}

/** A queue of elements, each processed at most once, at least once, or once. */
export const queueModel: ModelDefinition = {
  kind: "model",
  name: "queue",
  summary: "a queue of persistent sequential znodes, taken in their order",
  source: "ZooKeeper Recipes and Solutions, Queues",
  parameters: {
    ...serviceParameters({ clients: 2, expiries: 1, losses: 1 }),
    puts: integer("elements that each client puts", 1, 0, 9),
  },
  variants: declared(variants),
  exploration,
  build,
};
