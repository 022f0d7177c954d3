import {
  disabled,
  each,
  nameOf,
  opaque,
  table,
  vacuous,
  measuring,
  vocabulary,
  type Action,
  type Client,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
  type PerClient,
  type Taken,
} from "../../specification/index.ts";
import { childPath } from "../../sequential/index.ts";
import { clientsOf, has, serviceWords, treeOf, type Players, type ServiceState } from "../service/index.ts";
import {
  allowHerd,
  changeOf,
  couples,
  declared,
  exploration,
  followed,
  herd,
  integer,
  isSpent,
  isUnaware,
  judged,
  serviceBounds,
  serviceOf,
  serviceParameters,
  wakesOne,
} from "../recipe.ts";
import { acceptToken, candidateDecisions, type CandidateCommand, type CandidateState } from "./decisions.ts";
import { elections, type Guard } from "./variants.ts";

/** The service, its candidates, and a resource outside of ZooKeeper that leaders write to under their fencing token. */
interface Election extends ServiceState<CandidateState> {
  /** The token of the write that the resource accepted last; 0 before the first. */
  resource: number;
  /** Who has asked whether its token is still good, and will write whatever happens until then. */
  cleared: PerClient<boolean>;
}

const { action, invariant, stepProperty, witness } = vocabulary<Election>();

export const electionPath = "/election";

function believes(now: Now<Election>, client: Client): boolean {
  return now.client[client].phase === "leading";
}

/** It believes that it leads; its session has expired, and it does not know. */
function isZombie(now: Now<Election>, client: Client): boolean {
  return believes(now, client) && isUnaware(now, client);
}

/** It believes to lead, and its candidate's znode is there: nobody else can be the lowest. */
function leads(now: Now<Election>, client: Client): boolean {
  const candidate = now.client[client];
  return candidate.phase === "leading" && has(now, client, childPath(electionPath, candidate.node));
}

/** Of a client that leads; 0 of another. */
function tokenOf(now: Now<Election>, client: Client): number {
  const candidate = now.client[client];
  return candidate.phase === "leading" ? candidate.token : 0;
}

function accepts(resource: number, token: number): boolean {
  return acceptToken(resource === 0 ? [] : [resource], token) !== "deposed";
}

/** It believes that it leads, and what it writes to the resource would be taken. */
function mayWrite(now: Now<Election>, client: Client, guard: Guard): boolean {
  return believes(now, client) && (guard === "nobody" || accepts(now.resource, tokenOf(now, client)));
}

function wantsToLead(now: Now<Election>, client: Client): boolean {
  const { phase } = now.client[client];
  return phase !== "out" && phase !== "leaving" && !isUnaware(now, client);
}

/**
 * Leaders write to the resource under their token, first of all when they begin to lead: whoever stalls before that
 * stalls as one who claims. What a leader writes later changes nothing, unless another has led since; these writes are
 * the action GuardedWrite. It arrives in the step in which it is sent: one that is long on its way is that of a client
 * which stalls with it.
 */
function writes(players: Players<CandidateState, CandidateCommand>, guard: Guard): Action<Election>[] {
  const late = (now: Now<Election>, client: Client): boolean =>
    believes(now, client) && tokenOf(now, client) < now.resource;
  const guarded = action("GuardedWrite", each(players.all), (now, next, client) => {
    if (!late(now, client)) return disabled;
    const token = tokenOf(now, client);
    if (guard === "nobody" || now.cleared[client] || accepts(now.resource, token)) next.resource = token;
    if (now.cleared[client]) next.cleared[client] = false;
  });
  if (guard !== "client") return [guarded];
  const ask = action("AskWhetherToWrite", each(players.all), (now, next, client) => {
    if (now.cleared[client] || !mayWrite(now, client, guard)) return disabled;
    next.cleared[client] = true;
  });
  return [ask, guarded];
}

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const { initial, actions } = serviceOf(parameters);
  const bounds = serviceBounds(parameters);
  const { candidate, guard = "resource" } = changeOf(elections, variant);
  const all = clientsOf(bounds, true);
  const decisions = candidate(candidateDecisions(electionPath), electionPath);
  const players: Players<CandidateState, CandidateCommand> = {
    all,
    decisions: () => decisions,
    begins: { commands: ["join"], times: Number(parameters["candidacies"]) },
    believes: ({ phase }) => phase === "leading",
  };
  const woken = herd(all, (path) => path.startsWith(childPath(electionPath, "")));
  const model: Model<Election> = {
    name: "leader-election",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [{ ...initial(treeOf(electionPath), players), resource: 0, cleared: table(all, () => false) }],
    actions: [
      ...followed<CandidateState, Election>(actions(players, bounds), (next, client, before) => {
        const now = next.client[client];
        if (now.phase === before.phase) return;
        if (now.phase === "leading" && (guard === "nobody" || accepts(next.resource, now.token)))
          next.resource = now.token;
        if (before.phase === "leading" && next.cleared[client]) next.cleared[client] = false;
      }),
      ...writes(players, guard),
    ],
    invariants: [
      invariant("OneLeader", couples(all), (now, a, b) => {
        if (leads(now, a) && leads(now, b)) return false;
        return leads(now, a) || leads(now, b) ? true : vacuous;
      }),
      invariant("OnlyZombiesOverlap", couples(all), (now, a, b) =>
        believes(now, a) && believes(now, b) ? isZombie(now, a) || isZombie(now, b) : vacuous,
      ),
      invariant("OneMayWrite", couples(all), (now, a, b) => {
        if (!believes(now, a) || !believes(now, b)) return vacuous;
        return !mayWrite(now, a, guard) || !mayWrite(now, b, guard);
      }),
    ],
    stepProperties: [
      stepProperty("NoHerd", (before, after) => wakesOne(before, after)),
      // As soon as another leads.
      stepProperty("ZombieWritesRefused", (before, after, { action, parameters }) => {
        if (action !== "GuardedWrite") return vacuous;
        const late =
          isZombie(before, parameters[0] as Client) &&
          tokenOf(before, parameters[0] as Client) < before.resource;
        return late ? after.resource === before.resource : vacuous;
      }),
    ],
    witnesses: [
      witness("SomebodyLeads", (now) => all.members.some((client) => leads(now, client))),
      witness("AZombieIsSucceeded", (now) =>
        all.members.some((client) => isZombie(now, client) && tokenOf(now, client) < now.resource),
      ),
      ...measuring(woken),
    ],
    recoverable: [
      {
        name: "SomebodyWillLead",
        from: (now) => isSpent(now, bounds) && all.members.some((client) => wantsToLead(now, client)),
        to: (now) => all.members.some((client) => leads(now, client)),
      },
    ],
    measures: [woken],
    presentation: { step: words },
  };
  return opaque(judged(model, elections, parameters));
}

function words(before: Now<Election>, after: Now<Election>, taken: Taken): string | undefined {
  const [client] = taken.parameters as readonly [Client];
  const token = `its token ${tokenOf(before, client)}`;
  switch (taken.action) {
    case "AskWhetherToWrite":
      return `${nameOf(client)}: asks the resource whether ${token} is good, and is told that it is`;
    case "GuardedWrite":
      return `${nameOf(client)}: writes to the resource under ${token}, which is ${after.resource === before.resource ? "refused" : "accepted"}: token ${before.resource} has written`;
    default:
      return serviceWords(before, after, taken);
  }
}

/** The election of a leader by ephemeral sequential znodes, with the mistakes that are made in it. */
export const leaderElectionModel: ModelDefinition = {
  kind: "model",
  name: "leader-election",
  summary: "the leader-election recipe: ephemeral sequential candidates, each watches its predecessor",
  source: "ZooKeeper Recipes and Solutions, Leader Election; Hunt et al., USENIX ATC 2010, §2.4",
  parameters: {
    ...serviceParameters({ clients: 3, expiries: 2, losses: 1 }),
    candidacies: integer("how often each client may stand for election", 2, 1, 9),
    ...allowHerd,
  },
  variants: declared(elections),
  exploration,
  build,
};
