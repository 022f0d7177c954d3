import {
  forAll,
  vacuous,
  type Client,
  type IdentitySet,
  type Judgement,
  type Now,
  type ParameterDeclaration,
  type Parameters,
  type VariantDeclaration,
} from "../specification/index.ts";
import { parentOf, type ServiceBounds, type ServiceState } from "./service/index.ts";

/** The bounds that all recipes share, with a recipe's own defaults. */
export function serviceParameters(defaults: {
  readonly clients: number;
  readonly expiries: number;
  readonly losses: number;
}): { readonly [name: string]: ParameterDeclaration } {
  const integer = (
    summary: string,
    value: number,
    minimum: number,
    maximum: number,
  ): ParameterDeclaration => ({
    kind: "integer",
    summary,
    default: value,
    minimum,
    maximum,
  });
  return {
    clients: integer("clients", defaults.clients, 1, 6),
    "sessions-expire": integer("sessions that may expire", defaults.expiries, 0, 9),
    "connection-losses": integer("connections that may be lost", defaults.losses, 0, 9),
    lag: integer("transactions that a server may lag behind", 1, 0, 9),
  };
}

export function serviceBounds(parameters: Parameters): ServiceBounds {
  return {
    clients: Number(parameters["clients"]),
    expiries: Number(parameters["sessions-expire"]),
    losses: Number(parameters["connection-losses"]),
    lag: Number(parameters["lag"]),
  };
}

/** A recipe's variants: how each is declared, and what of the model it changes. The first is the recipe itself. */
export type Variants<Change> = { readonly [name: string]: VariantDeclaration & { readonly change: Change } };

/** The change that a variant makes; that of "recipe" where none is named. Throws RangeError for an unknown one. */
export function changeOf<Change>(variants: Variants<Change>, variant: string | undefined): Change {
  const found = variants[variant ?? "recipe"];
  if (found === undefined) throw new RangeError(`there is no variant ${variant}`);
  return found.change;
}

/** The variants as a definition publishes them. */
export function declared<Change>(variants: Variants<Change>): {
  readonly [name: string]: VariantDeclaration;
} {
  return Object.fromEntries(Object.entries(variants).filter(([name]) => name !== "recipe"));
}

/** Whether failures are spent, so that what has not happened by now has no excuse. */
export function isSpent(now: Now<ServiceState>, bounds: ServiceBounds): boolean {
  return now.expiries === bounds.expiries && now.losses === bounds.losses;
}

/** Nothing is under way for the client: whatever it does not know now, it will never be told. */
export function isQuiet(now: Now<ServiceState>, client: Client): boolean {
  return (
    now.request[client] === null &&
    now.events[client].length === 0 &&
    now.backlog[client].length === 0 &&
    now.link[client] === "connected" &&
    now.session[client].alive
  );
}

/** Every two of the clients, once. */
export function couples(all: IdentitySet<Client>): readonly (readonly [Client, Client])[] {
  return all.members.flatMap((a, i) => all.members.slice(i + 1).map((b) => [a, b] as const));
}

/** How many clients have a watch that the znode's departure fires. */
function wakes(now: Now<ServiceState>, all: IdentitySet<Client>, path: string): number {
  return all.members.filter((client) =>
    now.watches[client].some((watch) =>
      watch.kind === "data" ? watch.path === path : watch.path === parentOf(path) || watch.path === path,
    ),
  ).length;
}

/** Every departure of a znode (of those that `counts` names) wakes one client at most. */
export function wakesOne(
  before: Now<ServiceState>,
  after: Now<ServiceState>,
  all: IdentitySet<Client>,
  counts: (path: string) => boolean = () => true,
): Judgement {
  const stays = (path: string, czxid: number): boolean =>
    after.tree.nodes.some((node) => node.path === path && node.czxid === czxid);
  const gone = before.tree.nodes.filter(({ path, czxid }) => counts(path) && !stays(path, czxid));
  if (gone.length === 0) return vacuous;
  return forAll(gone, ({ path }) => wakes(before, all, path) <= 1);
}
