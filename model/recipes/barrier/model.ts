import {
  nameOf,
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
  changeOf,
  declared,
  exploration,
  isUnaware,
  serviceBounds,
  serviceOf,
  serviceParameters,
  type Variants,
} from "../recipe.ts";
import {
  clientsOf,
  serviceWords,
  unnumberedTreeOf,
  type Players,
  type ServiceState,
} from "../service/index.ts";
import { participantDecisions, type ParticipantDecisions, type ParticipantState } from "./decisions.ts";
import { entersEarly, joinsTooLate, leavesEarly, watchesNothing, worksOn } from "./mistakes.ts";

type Barrier = ServiceState<ParticipantState>;
const { invariant, witness } = vocabulary<Barrier>();

const barrierPath = "/barrier";

const notYetIn: readonly string[] = ["outside", "looking for ready"];
const entering: readonly string[] = ["joining", "counting", "announcing", "waiting"];
const through: readonly string[] = ["done", "expelled"];

/** It has never been among those who joined. */
function isOutside({ phase, again }: ParticipantState): boolean {
  return notYetIn.includes(phase) && !again;
}

function isBeyondEntering({ phase }: ParticipantState): boolean {
  return (
    !notYetIn.includes(phase) && !entering.includes(phase) && phase !== "withdrawing" && phase !== "expelled"
  );
}

/** Nobody may be done while it is so: it is on its way in, or works, and the others have to reckon with it. */
function isReckonedWith({ phase, again }: ParticipantState): boolean {
  if (phase === "working") return true;
  // Who joins again is reckoned with once it has seen, having joined, that the others have not begun.
  if (again) return phase === "waiting" || phase === "announcing";
  return notYetIn.includes(phase) || entering.includes(phase);
}

const variants: Variants<(recipe: ParticipantDecisions) => ParticipantDecisions> = {
  recipe: { summary: "the recipe", holds: true, change: (recipe) => recipe },
  "leaves-early": {
    summary: "who has finished goes, whoever still works",
    holds: false,
    property: "LeaveTogether",
    source: "the first half of the recipe alone",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: leavesEarly,
  },
  "enters-early": {
    summary: "who has joined begins, without counting",
    holds: false,
    property: "EnterTogether",
    source: "the second half of the recipe alone",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: entersEarly,
  },
  "watches-nothing": {
    summary: "who waits has looked for the ready znode without a watch, and is never told",
    holds: false,
    property: "AllWillBeThrough",
    source: "ZooKeeper Recipes and Solutions, Double Barriers, Enter, step 2",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: watchesNothing,
  },
  "joins-too-late": {
    summary: "whose session expired joins again and begins, though the others may be done",
    holds: false,
    property: "LeaveTogether",
    source: "ZooKeeper Recipes and Solutions, Double Barriers, says nothing of sessions that expire",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: joinsTooLate,
  },
  "works-on": {
    summary: "whose session expired goes on working: its znode is gone, and the others do not wait for it",
    holds: false,
    property: "LeaveTogether",
    source: "ZooKeeper Recipes and Solutions, Double Barriers, says nothing of sessions that expire",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: worksOn,
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const { initial, actions } = serviceOf(parameters);
  const bounds = serviceBounds(parameters);
  // Its participants are ordered by their names: the lowest waits for the highest.
  const all = clientsOf(bounds, false);
  const decisions = new Map(
    all.members.map((client) => [
      client,
      changeOf(variants, variant)(participantDecisions(barrierPath, nameOf(client), bounds.clients)),
    ]),
  );
  const players: Players<ParticipantState> = {
    all,
    decisions: (client) => decisions.get(client) as ParticipantDecisions,
    begins: { commands: ["enter"], times: 1 },
    believes: ({ phase }) => phase === "working",
  };
  const some = (now: Now<Barrier>, test: (state: ParticipantState) => boolean): boolean =>
    all.members.some((client) => test(now.client[client]));
  const each = all.members.map((client) => [client] as const);
  const model: Model<Barrier> = {
    name: "double-barrier",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [initial(unnumberedTreeOf(barrierPath), players)],
    actions: actions(players, bounds),
    invariants: [
      invariant("EnterTogether", each, (now, client: Client) =>
        some(now, isBeyondEntering) ? !isOutside(now.client[client]) : vacuous,
      ),
      // But for who works on after its session expired, unaware of it: the others cannot know.
      invariant("LeaveTogether", each, (now, client: Client) =>
        some(now, ({ phase }) => phase === "done")
          ? !isReckonedWith(now.client[client]) || isUnaware(now, client)
          : vacuous,
      ),
    ],
    witnesses: [
      witness("AllWork", (now) => all.members.every((client) => now.client[client].phase === "working")),
      witness("AllAreDone", (now) => all.members.every((client) => now.client[client].phase === "done")),
    ],
    recoverable: [
      {
        name: "AllWillBeThrough",
        to: (now) => all.members.every((client) => through.includes(now.client[client].phase)),
      },
    ],
    presentation: { step: serviceWords },
  };
  return opaque(model);
}

/** Clients begin together and end together. */
export const doubleBarrierModel: ModelDefinition = {
  kind: "model",
  name: "double-barrier",
  summary: "a double barrier: nobody begins before all have joined, nobody goes before all have finished",
  source: "ZooKeeper Recipes and Solutions, Double Barriers",
  parameters: serviceParameters({ clients: 3, expiries: 1, losses: 1 }),
  variants: declared(variants),
  exploration,
  build,
};
