import {
  nameOf,
  opaque,
  table,
  vacuous,
  vocabulary,
  type Action,
  type Client,
  type Model,
  type ModelDefinition,
  type Parameters,
} from "../../specification/index.ts";
import { changeOf, declared, isQuiet, serviceBounds, serviceParameters, type Variants } from "../recipe.ts";
import {
  childrenOf,
  clientsOf,
  initialService,
  serviceActions,
  treeOf,
  type Program,
  type ProgramState,
  type Reaction,
  type Request,
} from "../service/index.ts";

/**
 * Group membership: a member is an ephemeral znode; the first client is a consumer that keeps the list of addresses.
 * Source: ZooKeeper Recipes and Solutions, Group Membership; Hunt et al., USENIX ATC 2010, §2.4.
 */
type Member = {
  readonly phase: "outside" | "joining" | "member" | "leaving" | "reading" | "watching" | "settled";
  /** How often a member joined. */
  readonly joined: number;
  /** What the consumer believes. */
  readonly list: readonly string[];
};
type Membership = ProgramState<Member>;

interface Conduct {
  /** The mistake: the list is read without a watch, and the watch is set by a read that nobody looks at. */
  readonly watchesLate?: boolean;
  /** The mistake: members are persistent znodes, which their sessions do not take along. */
  readonly persistent?: boolean;
}

const root = "/members";
const { invariant, witness } = vocabulary<Membership>();

function membershipProgram(conduct: Conduct, consumer: Client, joins: number): Program<Member> {
  const go = (state: Member, phase: Member["phase"], request: Request | null = null): Reaction<Member> => ({
    state: { ...state, phase },
    request,
  });
  const list = (watch: boolean): Request => ({ op: "getChildren", path: root, watch, sync: false });
  const consume: Program<Member>["react"] = (state, input) => {
    const late = conduct.watchesLate === true;
    if (input.type === "answer" && input.answer.error === null) {
      if (state.phase === "watching") return go(state, "settled");
      const seen = { ...state, list: input.answer.children };
      return late ? go(seen, "watching", list(true)) : go(seen, "settled");
    }
    if (state.phase === "outside" && input.type !== "choice") return go(state, "outside");
    if (input.type === "disconnected" && state.phase === "settled") return go(state, "settled");
    return go(state, "reading", list(!late));
  };
  const belong: Program<Member>["react"] = (state, input, client) => {
    const path = `${root}/${nameOf(client)}`;
    const create: Request = {
      op: "create",
      path,
      data: "",
      ephemeral: conduct.persistent !== true,
      sequential: false,
    };
    const remove: Request = { op: "delete", path, version: -1 };
    switch (input.type) {
      case "choice":
        return input.choice === "join"
          ? go({ ...state, joined: state.joined + 1 }, "joining", create)
          : go(state, "leaving", remove);
      case "expired":
        return go(state, "outside");
      case "disconnected":
        if (state.phase === "joining") return go(state, "joining", create);
        return state.phase === "leaving" ? go(state, "leaving", remove) : go(state, state.phase);
      case "event":
        return go(state, state.phase);
      case "answer":
        if (state.phase === "leaving") return go(state, "outside");
        // The znode may be that of its session before, which is about to go: it waits until it can be created.
        return go(state, "member");
    }
  };
  return {
    start: () => ({ phase: "outside", joined: 0, list: [] }),
    choices(state, client) {
      if (client === consumer) return state.phase === "outside" ? ["read"] : [];
      if (state.phase === "outside") return state.joined < joins ? ["join"] : [];
      return state.phase === "member" ? ["leave"] : [];
    },
    react: (state, input, client) => (client === consumer ? consume : belong)(state, input, client),
  };
}

const variants: Variants<Conduct> = {
  recipe: { summary: "the recipe", holds: true, change: {} },
  "watch-after-read": {
    summary: "a consumer caches the list and sets its watch after it read: it keeps a member that has gone",
    holds: false,
    property: "ListIsRight",
    source: "address lists with a watch as an afterthought",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: { watchesLate: true },
  },
  "persistent-members": {
    summary: "members are persistent znodes: one that died stays on the list",
    holds: false,
    property: "NoDeadMember",
    source: "registries without ephemeral znodes",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { persistent: true },
  },
};

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds);
  const [consumer, ...members] = all.members as readonly [Client, ...Client[]];
  const program = membershipProgram(changeOf(variants, variant), consumer, Number(parameters["joins"]));
  const model: Model<Membership> = {
    name: "membership",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initialService(treeOf(root), all), client: table(all, program.start) }],
    actions: serviceActions(program, all, bounds) as unknown as Action<Membership>[],
    invariants: [
      invariant("ListIsRight", (now) => {
        if (now.client[consumer].phase !== "settled" || !isQuiet(now, consumer)) return vacuous;
        return now.client[consumer].list.join() === childrenOf(now.tree, root).join();
      }),
      invariant("NoDeadMember", (now) => {
        const dead = members.filter((member) => !now.session[member].alive);
        if (dead.length === 0 || now.client[consumer].phase !== "settled" || !isQuiet(now, consumer))
          return vacuous;
        return dead.every((member) => !now.client[consumer].list.includes(nameOf(member)));
      }),
    ],
    witnesses: [
      witness("AMemberIsListed", (now) => now.client[consumer].list.length > 0),
      witness("AMemberIsGone", (now) =>
        now.client[consumer].list.some((name) => !childrenOf(now.tree, root).includes(name)),
      ),
    ],
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
    joins: { kind: "integer", summary: "how often each member may join", default: 2, minimum: 1, maximum: 9 },
  },
  variants: declared(variants),
  build,
};
