import {
  forAll,
  opaque,
  table,
  vacuous,
  vocabulary,
  type Action,
  type Client,
  type IdentitySet,
  type Model,
  type ModelDefinition,
  type Parameters,
} from "../../specification/index.ts";
import { changeOf, declared, isQuiet, serviceBounds, serviceParameters, type Variants } from "../recipe.ts";
import {
  clientsOf,
  find,
  initialService,
  serviceActions,
  treeOf,
  type Program,
  type ProgramState,
  type Reaction,
  type Request,
} from "../service/index.ts";

/**
 * Configuration in a znode: the first client writes it, the others keep what they last read, and a watch on it.
 * Source: ZooKeeper Recipes and Solutions, Out-of-the-box Applications; Hunt et al., USENIX ATC 2010, §2.4.
 */
type Reader = {
  readonly phase: "starting" | "reading" | "watching" | "settled" | "writing";
  /** The version of what it last read; -1 before that. Of the writer: how often it wrote. */
  readonly version: number;
};
type Configuration = ProgramState<Reader>;

interface Conduct {
  /** The mistake: it reads without a watch and sets one afterwards, without looking at what that read says. */
  readonly watchesLate?: boolean;
  /** The mistake: with a new session it goes on with what it has. */
  readonly forgetsWatch?: boolean;
}

const path = "/configuration";
const { invariant, witness } = vocabulary<Configuration>();

function configurationProgram(conduct: Conduct, writer: Client, updates: number): Program<Reader> {
  const read = (version: number): Reaction<Reader> => ({
    state: { phase: "reading", version },
    request: { op: "getData", path, watch: conduct.watchesLate !== true, sync: false },
  });
  const go = (phase: Reader["phase"], version: number, request: Request | null = null): Reaction<Reader> => ({
    state: { phase, version },
    request,
  });
  return {
    start: (client) => ({ phase: "starting", version: client === writer ? 0 : -1 }),
    choices({ phase, version }, client) {
      if (client !== writer) return phase === "starting" ? ["read"] : [];
      return phase === "starting" && version < updates ? ["write"] : [];
    },
    react({ phase, version }, input, client) {
      if (client === writer) {
        if (input.type !== "choice") return go("starting", version);
        return go("writing", version + 1, { op: "setData", path, data: `v${version + 1}`, version: -1 });
      }
      if (input.type === "expired" && conduct.forgetsWatch === true && phase === "settled")
        return go(phase, version);
      if (input.type === "answer" && input.answer.error === null) {
        if (phase === "watching") return go("settled", version);
        const seen = input.answer.version;
        if (conduct.watchesLate !== true) return go("settled", seen);
        return go("watching", seen, { op: "exists", path, watch: true, sync: false });
      }
      if (phase === "starting" && input.type !== "choice") return go(phase, version);
      // With a watch set, a disconnection alone loses nothing: the client sets the watch again as it connects.
      if (input.type === "disconnected" && phase === "settled") return go(phase, version);
      return read(version);
    },
  };
}

const variants: Variants<Conduct> = {
  recipe: { summary: "the recipe", holds: true, change: {} },
  "watch-after-read": {
    summary: "a reader sets its watch after it read: an update between the two is missed for ever",
    holds: false,
    property: "LastValueSeen",
    source: "reading and watching as two calls",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0, updates: 1 },
    change: { watchesLate: true },
  },
  "watch-lost-with-session": {
    summary: "a reader whose session expired does not read again: its watch is gone with the session",
    holds: false,
    property: "LastValueSeen",
    source: "ZooKeeper Programmer's Guide: watches belong to a session",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0, updates: 1 },
    change: { forgetsWatch: true },
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const bounds = serviceBounds(parameters);
  const all: IdentitySet<Client> = clientsOf(bounds);
  const [writer, ...readers] = all.members as readonly [Client, ...Client[]];
  const program = configurationProgram(changeOf(variants, variant), writer, Number(parameters["updates"]));
  const model: Model<Configuration> = {
    name: "configuration",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initialService(treeOf(path), all), client: table(all, program.start) }],
    actions: serviceActions(program, all, bounds) as unknown as Action<Configuration>[],
    invariants: [
      invariant("LastValueSeen", (now) =>
        forAll(readers, (reader) => {
          const { phase, version } = now.client[reader];
          if (phase !== "settled" || !isQuiet(now, reader)) return vacuous;
          return version === find(now.tree, path)?.version;
        }),
      ),
    ],
    witnesses: [
      witness("AnUpdateIsSeen", (now) => readers.some((reader) => now.client[reader].version > 0)),
      witness("AReaderIsBehind", (now) =>
        readers.some((reader) => now.client[reader].version < (find(now.tree, path)?.version ?? 0)),
      ),
    ],
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
    updates: { kind: "integer", summary: "how often it is written", default: 2, minimum: 0, maximum: 9 },
  },
  variants: declared(variants),
  build,
};
