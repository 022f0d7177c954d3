import {
  disabled,
  each,
  opaque,
  table,
  vacuous,
  vocabulary,
  type Action,
  type Client,
  type IdentitySet,
  type Model,
  type ModelDefinition,
  type Now,
  type Parameters,
} from "../../specification/index.ts";
import {
  clientsOf,
  holds,
  initialService,
  serviceActions,
  treeOf,
  type Program,
  type ProgramState,
} from "../service/index.ts";
import {
  changeOf,
  couples,
  declared,
  isSpent,
  serviceBounds,
  serviceParameters,
  wakesOne,
  type Variants,
} from "../recipe.ts";
import { decide } from "./decisions.ts";
import {
  createsAgain,
  keepsGuid,
  keepsLeadership,
  leadsWhenNotified,
  takesLeadershipBack,
  waitsForNobody,
  watchesLeader,
} from "./mistakes.ts";
import { candidateProgram, electionPath, pathOf, type Candidate, type Conduct } from "./program.ts";
import { inMemoryProgram } from "./in-memory.ts";
import { singleNodeProgram } from "./single-node.ts";

/** The service, its candidates, and a resource outside of ZooKeeper that leaders write to under their fencing token. */
interface Election extends ProgramState<Candidate> {
  /** The token of the write that the resource accepted last; 0 before the first. */
  resource: number;
}

const { action, invariant, stepProperty, witness } = vocabulary<Election>();

function believes(now: Now<Election>, client: Client): boolean {
  return now.client[client].candidate.phase === "leading";
}

/** Its session has expired, and it does not know. */
function isZombie(now: Now<Election>, client: Client): boolean {
  return believes(now, client) && !now.session[client].alive;
}

/** It believes to lead, and its candidate's znode is there: nobody else can be the lowest. */
function leads(now: Now<Election>, client: Client): boolean {
  const { candidate } = now.client[client];
  return (
    candidate.phase === "leading" && now.session[client].alive && holds(now, client, pathOf(candidate.node))
  );
}

/**
 * A guarded write: the resource refuses a token that is lower than the one it accepted last.
 *
 * It arrives in the step in which it is sent. A write that is long on its way is that of a client which stalls with it.
 */
function guardedWrite(all: IdentitySet<Client>, fenced: boolean): Action<Election> {
  return action("GuardedWrite", each(all), (now, next, client) => {
    const { candidate } = now.client[client];
    if (candidate.phase !== "leading") return disabled;
    if (candidate.token >= now.resource || !fenced) next.resource = candidate.token;
  });
}

function build(parameters: Parameters, variant?: string): Model<unknown> {
  const bounds = serviceBounds(parameters);
  const all = clientsOf(bounds);
  const { program, fenced } = changeOf(elections, variant);
  const candidates = program(Number(parameters["candidacies"]));
  const initial: Election = {
    ...initialService(treeOf(electionPath), all),
    client: table(all, candidates.start),
    resource: 0,
  };
  const model: Model<Election> = {
    name: "leader-election",
    parameters,
    ...(variant === undefined ? {} : { variant }),
    identities: [all],
    initial: [initial],
    actions: [
      ...(serviceActions(candidates, all, bounds) as unknown as Action<Election>[]),
      guardedWrite(all, fenced !== false),
    ],
    invariants: [
      invariant("OneLeader", couples(all), (now, a, b) => {
        if (leads(now, a) && leads(now, b)) return false;
        return leads(now, a) || leads(now, b) ? true : vacuous;
      }),
      invariant("OnlyZombiesOverlap", couples(all), (now, a, b) =>
        believes(now, a) && believes(now, b) ? isZombie(now, a) || isZombie(now, b) : vacuous,
      ),
    ],
    stepProperties: [
      stepProperty("NoHerd", (before, after) => wakesOne(before, after, all)),
      stepProperty("LateWritesRefused", (before, after, { action, parameters }) => {
        if (action !== "GuardedWrite") return vacuous;
        const late = tokenOf(before, parameters[0] as Client) < before.resource;
        return late ? after.resource === before.resource : vacuous;
      }),
    ],
    witnesses: [
      witness("SomebodyLeads", (now) => all.members.some((client) => leads(now, client))),
      witness("ALeaderIsSucceeded", (now) =>
        all.members.some(
          (client) => leads(now, client) && now.resource > 0 && tokenOf(now, client) > now.resource,
        ),
      ),
      witness("AZombieBelieves", (now) => all.members.some((client) => isZombie(now, client))),
      witness("AZombieIsTooLate", (now) =>
        all.members.some((client) => isZombie(now, client) && tokenOf(now, client) < now.resource),
      ),
    ],
    recoverable: [
      {
        name: "SomebodyWillLead",
        from: (now) => isSpent(now, bounds) && all.members.some((client) => wantsToLead(now, client)),
        to: (now) => all.members.some((client) => leads(now, client)),
      },
    ],
  };
  return opaque(model);
}

function tokenOf(now: Now<Election>, client: Client): number {
  const { candidate } = now.client[client];
  return candidate.phase === "leading" ? candidate.token : 0;
}

function wantsToLead(now: Now<Election>, client: Client): boolean {
  const { phase } = now.client[client].candidate;
  return phase !== "out" && phase !== "leaving" && now.session[client].alive;
}

interface Change {
  readonly program: (candidacies: number) => Program<Candidate>;
  /** Whether the resource checks tokens. */
  readonly fenced?: boolean;
}

function conduct(conducts: Conduct): Change["program"] {
  return (candidacies) => candidateProgram(conducts, candidacies);
}

const elections: Variants<Change> = {
  recipe: { summary: "the recipe", holds: true, change: { program: conduct({ decide }) } },
  "no-protection": {
    summary: "a create whose reply was lost is repeated without looking for the first znode",
    holds: false,
    property: "SomebodyWillLead",
    source: "ZooKeeper FAQ, recoverable errors; Curator's protected create",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 1 },
    change: { program: conduct({ decide: createsAgain }) },
  },
  "watch-leader": {
    summary: "everybody watches the lowest candidate: right, but its departure wakes them all",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Leader Election: herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0 },
    change: { program: conduct({ decide: watchesLeader }) },
  },
  "watch-parent": {
    summary: "everybody watches the list of candidates: right, but each departure wakes them all",
    holds: false,
    property: "NoHerd",
    source: "ZooKeeper Recipes and Solutions, Leader Election: herd effect",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0 },
    change: { program: conduct({ decide, watchesParent: true }) },
  },
  "single-node": {
    summary: "one ephemeral znode, who creates it leads: right, but its departure wakes everybody",
    holds: false,
    property: "NoHerd",
    source: "Junqueira & Reed, ZooKeeper: Distributed Process Coordination, ch. 3",
    parameters: { clients: 3, "sessions-expire": 0, "connection-losses": 0 },
    change: { program: singleNodeProgram },
  },
  "lead-when-notified": {
    summary: "a candidate leads when its predecessor goes, without reading the candidates again",
    holds: false,
    property: "OneLeader",
    source: "ZooKeeper Recipes and Solutions, Leader Election, step 3 of the notification",
    parameters: { clients: 3, "sessions-expire": 1, "connection-losses": 0 },
    change: { program: conduct({ decide: leadsWhenNotified }) },
  },
  "lost-wake-up": {
    summary: "a candidate waits for a predecessor that went before it could be watched",
    holds: false,
    property: "SomebodyWillLead",
    source: "ZooKeeper Recipes and Solutions, Locks, step 5: if exists returns null, go to step 2",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { program: conduct({ decide: waitsForNobody }) },
  },
  "no-fencing": {
    summary: "the guarded resource takes writes under any token, also those of a zombie",
    holds: false,
    property: "LateWritesRefused",
    source: "Hunt et al., USENIX ATC 2010; Burrows, OSDI 2006, §2.4 (sequencers)",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { program: conduct({ decide }), fenced: false },
  },
  "guid-of-closing-session": {
    summary: "a protected create takes the znode of its own expired session for the new one",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "CURATOR-498",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 1 },
    change: { program: conduct({ decide: keepsGuid }) },
  },
  "keeps-leadership": {
    summary: "a leader goes on leading across a disconnection that cost it its session",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "CURATOR-444, CURATOR-653, CURATOR-696",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { program: conduct({ decide: keepsLeadership }) },
  },
  "takes-leadership-back": {
    summary: "with a new session a leader finds its old znode on a server that lags, and leads again",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "CURATOR-644, CURATOR-645",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0 },
    change: { program: conduct({ decide: takesLeadershipBack }) },
  },
  "lock-in-memory": {
    summary: "a lock in each process's own memory: a second process never sees it",
    holds: false,
    property: "OnlyZombiesOverlap",
    source: "tutorials that show leader election within one process",
    parameters: { clients: 2, "sessions-expire": 0, "connection-losses": 0 },
    change: { program: inMemoryProgram },
  },
  "lock-without-expiry": {
    summary: "a lock that nobody takes from a leader that died: its heartbeats are watched by itself alone",
    holds: false,
    property: "SomebodyWillLead",
    source: "tutorials that keep the lock until its holder releases it",
    parameters: { clients: 2, "sessions-expire": 1, "connection-losses": 0, candidacies: 1 },
    change: { program: (candidacies) => singleNodeProgram(candidacies, { ephemeral: false }) },
  },
};

/** The election of a leader by ephemeral sequential znodes, with the mistakes that are made in it. */
export const leaderElectionModel: ModelDefinition = {
  kind: "model",
  name: "leader-election",
  summary: "the leader-election recipe: ephemeral sequential candidates, each watches its predecessor",
  source: "ZooKeeper Recipes and Solutions, Leader Election; Hunt et al., USENIX ATC 2010, §2.4",
  parameters: {
    ...serviceParameters({ clients: 3, expiries: 2, losses: 1 }),
    candidacies: {
      kind: "integer",
      summary: "how often each client may stand for election",
      default: 2,
      minimum: 1,
      maximum: 9,
    },
  },
  variants: declared(elections),
  build,
};
