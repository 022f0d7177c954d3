import {
  opaque,
  vacuous,
  vocabulary,
  type Client,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
} from "../../specification/index.ts";
import type { Decisions } from "../decisions.ts";
import {
  changeOf,
  declared,
  exploration,
  integer,
  isQuiet,
  serviceBounds,
  serviceOf,
  serviceParameters,
  type Variants,
} from "../recipe.ts";
import {
  find,
  firstAndOthers,
  serviceWords,
  treeOf,
  type Players,
  type ServiceState,
} from "../service/index.ts";
import {
  readerDecisions,
  writerDecisions,
  type ReaderDecisions,
  type ReaderState,
  type WriterState,
} from "./decisions.ts";
import { forgetsWatch, watchesLate } from "./mistakes.ts";

type Configuration = ServiceState<ReaderState | WriterState>;
const { invariant, witness } = vocabulary<Configuration>();

const parent = "/configuration";
const path = `${parent}/current`;

const variants: Variants<(recipe: ReaderDecisions) => ReaderDecisions> = {
  recipe: { summary: "the recipe", holds: true, change: (recipe) => recipe },
  "watch-after-read": {
    summary: "a reader sets its watch after it read: an update between the two is missed for ever",
    holds: false,
    property: "LastValueSeen",
    source: "reading and watching as two calls",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, updates: 2 },
    change: (recipe) => watchesLate(recipe, path),
  },
  "watch-lost-with-session": {
    summary: "a reader whose session expired does not read again: its watch is gone with the session",
    holds: false,
    property: "LastValueSeen",
    source: "ZooKeeper Programmer's Guide: watches belong to a session",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0, updates: 1 },
    change: forgetsWatch,
  },
};

/** The version that a reader has last read; undefined as long as it has none. */
function versionAt(now: Now<Configuration>, reader: Client): number | undefined {
  const state = now.client[reader];
  return state.phase === "settled" ? state.version : undefined;
}

function lastVersion(now: Now<Configuration>): number {
  return find(now.tree, path)?.version ?? -1;
}

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const { initial, actions } = serviceOf(parameters);
  const bounds = serviceBounds(parameters);
  const { first: writer, others: readers, all } = firstAndOthers(bounds);
  const reading = changeOf(variants, variant)(readerDecisions(path));
  const writing = writerDecisions(path);
  const players: Players<ReaderState | WriterState> = {
    all,
    decisions: (client) => (client === writer ? writing : reading) as Decisions<ReaderState | WriterState>,
    begins: { commands: ["write"], times: Number(parameters["updates"]) },
    believes: ({ phase }) => phase === "settled",
  };
  const model: Model<Configuration> = {
    name: "configuration",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [readers],
    initial: [initial(treeOf(parent), players)],
    actions: actions(players, bounds),
    invariants: [
      // Once nothing is under way that would tell it of a change.
      invariant(
        "LastValueSeen",
        readers.members.map((reader) => [reader] as const),
        (now, reader) => {
          const version = versionAt(now, reader);
          return version === undefined || !isQuiet(now, reader) ? vacuous : version === lastVersion(now);
        },
      ),
    ],
    witnesses: [
      witness("AnUpdateIsSeen", (now) => readers.members.some((reader) => (versionAt(now, reader) ?? 0) > 0)),
      witness("ACreationIsSeen", (now) => readers.members.some((reader) => versionAt(now, reader) === 0)),
      witness("AReaderIsBehind", (now) =>
        readers.members.some((reader) => (versionAt(now, reader) ?? Infinity) < lastVersion(now)),
      ),
    ],
    presentation: { step: serviceWords },
  };
  return opaque(model);
}

/** Readers of a configuration see its last value in the end. */
export const configurationModel: ModelDefinition = {
  kind: "model",
  name: "configuration",
  summary: "configuration in a znode that readers watch: no update is missed for ever",
  source: "Hunt et al., USENIX ATC 2010, §2.4",
  parameters: {
    ...serviceParameters({ clients: 3, expiries: 1, losses: 1 }),
    updates: integer("how often it is written, the creation included", 2, 0, 9),
  },
  variants: declared(variants),
  exploration,
  build,
};
