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
import { changeOf, declared, serviceBounds, serviceParameters, type Variants } from "../recipe.ts";
import { clientsOf, initialService, serviceActions, treeOf, type ProgramState } from "../service/index.ts";
import { barrierPath, barrierProgram, type BarrierConduct, type Participant } from "./program.ts";

type Barrier = ProgramState<Participant>;
const { invariant, witness } = vocabulary<Barrier>();

const notYetIn: readonly string[] = ["outside", "watching ready", "joining"];
const leaving: readonly string[] = ["looking", "removing", "watching others", "done"];

function phase(now: Now<Barrier>, client: Client): Participant["phase"] {
  return now.client[client].phase;
}

const variants: Variants<BarrierConduct> = {
  recipe: { summary: "the recipe", holds: true, change: {} },
  "leaves-early": {
    summary: "who has finished goes, whoever still works",
    holds: false,
    property: "LeaveTogether",
    source: "the first half of the recipe alone",
    parameters: { clients: 2, "connection-losses": 0 },
    change: { leavesEarly: true },
  },
  "enters-early": {
    summary: "who has joined begins, without counting",
    holds: false,
    property: "EnterTogether",
    source: "the second half of the recipe alone",
    parameters: { clients: 2, "connection-losses": 0 },
    change: { entersEarly: true },
  },
  "watches-nothing": {
    summary: "who waits has looked for the ready znode without a watch, and is never told",
    holds: false,
    property: "AllWillBeDone",
    source: "ZooKeeper Recipes and Solutions, Double Barriers, Enter, step 2",
    parameters: { clients: 2, "connection-losses": 0 },
    change: { watchesNothing: true },
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds);
  const program = barrierProgram(changeOf(variants, variant), bounds.clients);
  const some = (now: Now<Barrier>, test: (phase: string) => boolean): boolean =>
    all.members.some((client) => test(phase(now, client)));
  const model: Model<Barrier> = {
    name: "double-barrier",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initialService(treeOf(barrierPath), all), client: table(all, program.start) }],
    actions: serviceActions(program, all, bounds) as unknown as Action<Barrier>[],
    invariants: [
      invariant("EnterTogether", (now) =>
        some(now, (at) => at === "working" || leaving.includes(at))
          ? !some(now, (at) => at === "outside" || at === "watching ready")
          : vacuous,
      ),
      invariant("LeaveTogether", (now) =>
        some(now, (at) => at === "done")
          ? !some(
              now,
              (at) => at === "working" || at === "counting" || at === "waiting" || notYetIn.includes(at),
            )
          : vacuous,
      ),
    ],
    witnesses: [
      witness("AllWork", (now) => all.members.every((client) => phase(now, client) === "working")),
      witness("AllAreDone", (now) => all.members.every((client) => phase(now, client) === "done")),
    ],
    recoverable: [
      { name: "AllWillBeDone", to: (now) => all.members.every((client) => phase(now, client) === "done") },
    ],
  };
  return opaque(model);
}

/** Clients begin together and end together. Sessions do not expire in it: the recipe has no answer to that. */
export const doubleBarrierModel: ModelDefinition = {
  kind: "model",
  name: "double-barrier",
  summary: "a double barrier: nobody begins before all have joined, nobody goes before all have finished",
  source: "ZooKeeper Recipes and Solutions, Double Barriers",
  parameters: serviceParameters({ clients: 3, expiries: 0, losses: 1 }),
  variants: declared(variants),
  build,
};
