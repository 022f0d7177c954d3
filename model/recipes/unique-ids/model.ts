import {
  opaque,
  table,
  vacuous,
  vocabulary,
  type Action,
  type Model,
  type ModelDefinition,
  type Parameters,
} from "../../specification/index.ts";
import { changeOf, declared, serviceBounds, serviceParameters, type Variants } from "../recipe.ts";
import {
  clientsOf,
  initialService,
  serviceActions,
  treeOf,
  type Program,
  type ProgramState,
  type Reaction,
  type Request,
} from "../service/index.ts";

/** A client that takes ids: from the names of sequential znodes, or from the versions of a counter. */
type Taker = {
  readonly phase: "idle" | "taking" | "writing";
  readonly asked: number;
  readonly ids: readonly number[];
};
type Ids = ProgramState<Taker>;
type Generator = "sequential" | "version" | "read-then-write";

const root = "/ids";
const counter = "/counter";
const { invariant, witness } = vocabulary<Ids>();

function idProgram(generator: Generator, asks: number): Program<Taker> {
  const create: Request = { op: "create", path: `${root}/id-`, data: "", ephemeral: false, sequential: true };
  const count = (data: string): Request => ({ op: "setData", path: counter, data, version: -1 });
  const first: { readonly [G in Generator]: Request } = {
    sequential: create,
    version: count(""),
    "read-then-write": { op: "getData", path: counter, watch: false, sync: true },
  };
  const done = (state: Taker, ...ids: readonly number[]): Reaction<Taker> => ({
    state: { ...state, phase: "idle", ids: [...state.ids, ...ids] },
    request: null,
  });
  return {
    start: () => ({ phase: "idle", asked: 0, ids: [] }),
    choices: ({ phase, asked }) => (phase === "idle" && asked < asks ? ["take"] : []),
    react(state, input) {
      if (input.type === "choice") {
        return { state: { ...state, phase: "taking", asked: state.asked + 1 }, request: first[generator] };
      }
      // Without an answer the id is nobody's: a gap is no harm, an id that two have is.
      if (input.type !== "answer" || input.answer.error !== null) return done(state);
      const { path, data, version } = input.answer;
      switch (generator) {
        case "sequential":
          return done(state, Number(path.slice(-10)));
        case "version":
          return done(state, version);
        case "read-then-write": {
          if (state.phase === "writing") return done(state, Number(data));
          return { state: { ...state, phase: "writing" }, request: count(String(Number(data) + 1)) };
        }
      }
    },
  };
}

const variants: Variants<Generator> = {
  recipe: { summary: "ids from the names of sequential znodes", holds: true, change: "sequential" },
  "counter-version": { summary: "ids from the versions of a counter", holds: true, change: "version" },
  "read-then-write": {
    summary: "ids from a counter that is read and then written, whatever its version is by then",
    holds: false,
    property: "Unique",
    source: "a read and an unconditional write as one operation",
    parameters: { clients: 2, "connection-losses": 0 },
    change: "read-then-write",
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds);
  const program = idProgram(changeOf(variants, variant), Number(parameters["ids"]));
  const model: Model<Ids> = {
    name: "unique-ids",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initialService(treeOf(root, counter), all), client: table(all, program.start) }],
    actions: serviceActions(program, all, bounds) as unknown as Action<Ids>[],
    invariants: [
      invariant("Unique", (now) => {
        const ids = all.members.flatMap((client) => now.client[client].ids);
        return ids.length < 2 ? vacuous : new Set(ids).size === ids.length;
      }),
    ],
    witnesses: [
      witness(
        "TwoClientsHaveIds",
        (now) => all.members.filter((client) => now.client[client].ids.length > 0).length > 1,
      ),
    ],
  };
  return opaque(model);
}

/** Ids that no two clients are given. */
export const uniqueIdsModel: ModelDefinition = {
  kind: "model",
  name: "unique-ids",
  summary: "unique ids from sequential znodes, or from the versions of a counter",
  source: "ZooKeeper Programmer's Guide, Sequence Nodes",
  parameters: {
    ...serviceParameters({ clients: 3, expiries: 0, losses: 1 }),
    ids: { kind: "integer", summary: "how often each client asks", default: 2, minimum: 1, maximum: 9 },
  },
  variants: declared(variants),
  build,
};
