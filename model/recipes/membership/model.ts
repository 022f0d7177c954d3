import {
  mention,
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
  isUnaware,
  serviceBounds,
  serviceOf,
  serviceParameters,
  type Variants,
} from "../recipe.ts";
import {
  childrenOf,
  firstAndOthers,
  serviceWords,
  treeOf,
  type Players,
  type ServiceState,
} from "../service/index.ts";
import {
  memberDecisions,
  membersDecisions,
  type MembersDecisions,
  type MembersState,
  type MemberState,
} from "./decisions.ts";
import { watchesLate } from "./mistakes.ts";

type Membership = ServiceState<MemberState | MembersState>;
const { invariant, witness } = vocabulary<Membership>();

const path = "/members";

interface Change {
  readonly consumer: (recipe: MembersDecisions) => MembersDecisions;
  /** The mistake: members are persistent znodes, which their sessions do not take along. */
  readonly persistent?: boolean;
}

const variants: Variants<Change> = {
  recipe: { summary: "the recipe", holds: true, change: { consumer: (recipe) => recipe } },
  "watch-after-read": {
    summary:
      "a consumer caches the list and sets its watch after it read: what changed in between it never learns",
    holds: false,
    property: "ListIsRight",
    source: "address lists with a watch as an afterthought",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: { consumer: watchesLate },
  },
  "persistent-members": {
    summary: "members are persistent znodes: one that died stays on the list",
    holds: false,
    property: "NoDeadMember",
    source: "registries without ephemeral znodes",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { consumer: (recipe) => recipe, persistent: true },
  },
};

/** What a consumer believes; undefined as long as it has read nothing. */
function listOf(now: Now<Membership>, consumer: Client): readonly string[] | undefined {
  const state = now.client[consumer];
  return state.phase === "settled" ? state.members : undefined;
}

/** The same once nothing is under way that would tell it of a change. */
function settledList(now: Now<Membership>, consumer: Client): readonly string[] | undefined {
  return isQuiet(now, consumer) ? listOf(now, consumer) : undefined;
}

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const { initial, actions } = serviceOf(parameters);
  const bounds = serviceBounds(parameters);
  const { first: consumer, others: members, all } = firstAndOthers(bounds);
  const change = changeOf(variants, variant);
  const consuming = change.consumer(membersDecisions(path));
  const belonging = new Map(
    members.members.map((member) => [
      member,
      memberDecisions(path, mention(member), change.persistent !== true),
    ]),
  );
  const players: Players<MemberState | MembersState> = {
    all,
    decisions: (client) => (belonging.get(client) ?? consuming) as Decisions<MemberState | MembersState>,
    begins: { commands: ["join"], times: Number(parameters["joins"]) },
    believes: ({ phase }) => phase === "settled" || phase === "member",
  };
  const model: Model<Membership> = {
    name: "membership",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [members],
    initial: [initial(treeOf(path), players)],
    actions: actions(players, bounds),
    invariants: [
      invariant("ListIsRight", (now) => {
        const list = settledList(now, consumer);
        if (list === undefined) return vacuous;
        return list.toSorted().join() === childrenOf(now.tree, path).toSorted().join();
      }),
      invariant(
        "NoDeadMember",
        members.members.map((member) => [member] as const),
        (now, member) => {
          const list = isUnaware(now, member) ? settledList(now, consumer) : undefined;
          return list === undefined ? vacuous : !list.includes(mention(member));
        },
      ),
    ],
    witnesses: [
      witness("AMemberIsListed", (now) => (listOf(now, consumer) ?? []).length > 0),
      witness("AMemberIsGone", (now) =>
        (listOf(now, consumer) ?? []).some((name) => !childrenOf(now.tree, path).includes(name)),
      ),
    ],
    presentation: { step: serviceWords },
  };
  return opaque(model);
}

/** A list of members that never keeps a dead one beyond its session, once its consumer has been told. */
export const membershipModel: ModelDefinition = {
  kind: "model",
  name: "membership",
  summary: "group membership by ephemeral znodes, and a consumer that keeps the list",
  source: "ZooKeeper Recipes and Solutions, Group Membership",
  parameters: {
    ...serviceParameters({ clients: 3, expiries: 1, losses: 1 }),
    joins: integer("how often each member may join", 2, 1, 9),
  },
  variants: declared(variants),
  exploration,
  build,
};
