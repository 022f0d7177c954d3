import {
  disabled,
  forAll,
  vacuous,
  withProperties,
  type Action,
  type Client,
  type FiniteSet,
  type IdentitySet,
  type Judgement,
  type Measure,
  type Model,
  type Now,
  type ParameterDeclaration,
  type Parameters,
  type Taken,
  type Value,
  type VariantDeclaration,
} from "../specification/index.ts";
import {
  initialService,
  plainService,
  serviceActions,
  trigger,
  departed,
  wokenBy,
  type ServiceBounds,
  type ServiceKind,
  type ServiceState,
  type Transaction,
  type Watch,
} from "./service/index.ts";

/** The bounds that all recipes share, with a recipe's own defaults. */
export function serviceParameters(defaults: {
  readonly clients: number;
  readonly expiries: number;
  readonly losses: number;
}): { readonly [name: string]: ParameterDeclaration } {
  return {
    clients: integer("clients", defaults.clients, 1, 6),
    "sessions-expire": integer("sessions that may expire", defaults.expiries, 0, 9),
    "connection-losses": integer("connections that may be lost", defaults.losses, 0, 9),
    lag: integer("transactions that a server may lag behind", 1, 0, 9),
    plain: {
      kind: "flag",
      summary: "without what keeps the service's states few: it must say the same",
      default: false,
    },
  };
}

/** Recipes are symmetric in their clients, and who waits must not wait for ever. */
export const exploration = { symmetry: true, recoverability: true } as const;

export function integer(
  summary: string,
  value: number,
  minimum: number,
  maximum: number,
): ParameterDeclaration {
  return { kind: "integer", summary, default: value, minimum, maximum };
}

export function serviceBounds(parameters: Parameters): ServiceBounds {
  return {
    clients: Number(parameters["clients"]),
    expiries: Number(parameters["sessions-expire"]),
    losses: Number(parameters["connection-losses"]),
    lag: Number(parameters["lag"]),
  };
}

/** The parameter that turns NoHerd into a measure. */
export const allowHerd: { readonly [name: string]: ParameterDeclaration } = {
  "allow-herd": {
    kind: "flag",
    summary: "a departure may wake any number of clients: they are counted, and NoHerd is not judged",
    default: false,
  },
};

/** What a recipe stands on: the service, or its plain twin. */
export function serviceOf({ plain }: Parameters): ServiceKind {
  return plain === true ? plainService : { initial: initialService, actions: serviceActions };
}

/** A recipe's variants: how each is declared, and what of the model it changes. The first is the recipe itself. */
export type Variants<Change> = { readonly [name: string]: VariantDeclaration & { readonly change: Change } };

/** The change that a variant makes; that of "recipe" where none is named. Throws RangeError for an unknown one. */
export function changeOf<Change>(variants: Variants<Change>, variant: string | undefined): Change {
  const found = variants[variant ?? "recipe"];
  if (found === undefined) throw new RangeError(`there is no variant ${variant}`);
  return found.change;
}

/** The variants as a definition publishes them: without the recipe, and what they change. */
export function declared(variants: Variants<unknown>): { readonly [name: string]: VariantDeclaration } {
  const published = Object.entries(variants).filter(([name]) => name !== "recipe");
  return Object.fromEntries(published.map(([name, { change: _change, ...variant }]) => [name, variant]));
}

/** A model with the properties that its variant and its parameters ask for. */
export function judged<State>(
  model: Model<State>,
  variants: Variants<unknown>,
  { "allow-herd": allowsHerd }: Parameters,
): Model<State> {
  const { alone, property } = variants[model.variant ?? "recipe"] ?? {};
  return withProperties(
    model,
    (name) => (alone !== true || name === property) && (allowsHerd !== true || name !== "NoHerd"),
  );
}

/**
 * Actions of the service along with which variables of the model change that are no client's own: the list of what was
 * processed, the resource that a leader guards.
 */
export function followed<S extends Value, State extends ServiceState<S>>(
  actions: readonly Action<ServiceState<S>>[],
  follow: (next: State, client: Client, before: S, taken: Taken) => void,
): Action<State>[] {
  return actions.map(({ name, effect, ...rest }) => ({
    ...(rest as object as Action<State>),
    name,
    effect: (now, next, ...parameters) => {
      if ((effect as Action<unknown>["effect"])(now, next, ...parameters) === disabled) return disabled;
      const client = parameters[0] as Client;
      const before = (now as { readonly client: { readonly [c in Client]: S } }).client[client];
      follow(next, client, before, { action: name, parameters });
    },
  }));
}

/** Whether failures are spent, so that what has not happened by now has no excuse. */
export function isSpent(now: Now<ServiceState>, bounds: ServiceBounds): boolean {
  return now.expiries === bounds.expiries && now.losses === bounds.losses;
}

/** Its session has expired, and it does not know. */
export function isUnaware(now: Now<ServiceState>, client: Client): boolean {
  return now.session[client] === "expired";
}

/**
 * Nothing is under way for the client: whatever it does not know now, it will never be told. What its server has yet to
 * apply does not count, where it fires none of the client's watches.
 */
export function isQuiet(now: Now<ServiceState>, client: Client): boolean {
  return (
    now.request[client] === null &&
    now.events[client].length === 0 &&
    now.link[client] === "connected" &&
    now.session[client] === "alive" &&
    now.backlog[client].every((transaction) => fires(now, client, transaction as Transaction).length === 0)
  );
}

function fires(
  now: Now<ServiceState>,
  client: Client,
  transaction: Transaction,
): ReturnType<typeof trigger>["events"] {
  return trigger(now.watches[client] as FiniteSet<Watch>, transaction).events;
}

/** Every two of the clients, once. */
export function couples(all: IdentitySet<Client>): readonly (readonly [Client, Client])[] {
  return all.members.flatMap((a, i) => all.members.slice(i + 1).map((b) => [a, b] as const));
}

/** Every departure of a znode (of those that `counts` names) wakes one client at most. */
export function wakesOne(
  before: Now<ServiceState>,
  after: Now<ServiceState>,
  counts: (path: string) => boolean = () => true,
): Judgement {
  const gone = departed(before, after).filter(counts);
  if (gone.length === 0) return vacuous;
  return forAll(gone, (path) => wokenBy(before, path).length <= 1);
}

/** The herd: how many clients the departure of one znode (of those that `counts` names) wakes. */
export function herd(all: IdentitySet<Client>, counts: (path: string) => boolean): Measure<ServiceState> {
  return {
    name: "clients woken by one departure",
    most: all.members.length,
    of: (now) =>
      Math.max(0, ...now.tree.nodes.map(({ path }) => (counts(path) ? wokenBy(now, path).length : 0))),
  };
}
