/**
 * Identities: the opaque names of servers and clients.
 *
 * An identity is a symbol at run time and a union of unique symbols for the compiler, so that identities can index
 * tables and be tested for equality, while `a < b` and `a + b` do not compile. A model that is symmetric in its
 * servers can therefore not depend on their order by accident.
 */

declare const aServer: unique symbol;
declare const anotherServer: unique symbol;
declare const aClient: unique symbol;
declare const anotherClient: unique symbol;

/** One server of a set. The compiler's two members stand for any number of servers. */
export type Server = typeof aServer | typeof anotherServer;
/** One client of a set. */
export type Client = typeof aClient | typeof anotherClient;
export type Identity = Server | Client;

/** An entry for each identity: `role[server]`. */
export type Table<I extends Identity, T> = { [K in I]: T };
export type PerServer<T> = Table<Server, T>;
export type PerClient<T> = Table<Client, T>;
/** An entry for each ordered pair: `channel[from][to]`. */
export type PerPair<T> = PerServer<PerServer<T>>;

/** A fixed set of identities that a model ranges over. */
export interface IdentitySet<I extends Identity> {
  readonly kind: "identities";
  readonly members: readonly I[];
  /** Whether states that differ by a permutation of the members may be taken for one. */
  readonly symmetric: boolean;
}

/**
 * `count` identities named `prefix1`, `prefix2`, ...: the same symbols at each call with the same arguments.
 */
export function servers(
  count: number,
  options: { symmetric: boolean; prefix?: string },
): IdentitySet<Server> {
  return identities<Server>(count, options.prefix ?? "s", options.symmetric);
}

/** Clients, named as servers are. */
export function clients(
  count: number,
  options: { symmetric: boolean; prefix?: string },
): IdentitySet<Client> {
  return identities<Client>(count, options.prefix ?? "c", options.symmetric);
}

function identities<I extends Identity>(count: number, prefix: string, symmetric: boolean): IdentitySet<I> {
  const members = Array.from(
    { length: count },
    (_, index) => Symbol.for(`${prefix}${index + 1}`) as unknown as I,
  );
  return { kind: "identities", members, symmetric };
}

/** The name of an identity: "s1". */
export function nameOf(identity: Identity): string {
  return (identity as unknown as symbol).description ?? "?";
}

/**
 * An identity's name within a text, as in a path or a GUID: "<s1>". Where states are renamed, for symmetry, what their
 * texts mention is renamed, too. Such texts may be compared for equality, never by order.
 */
export function mention(identity: Identity): string {
  return `<${nameOf(identity)}>`;
}

/** The identities that a text mentions replaced. Those that the permutation does not name stay. */
export function renamed(text: string, permutation: ReadonlyMap<Identity, Identity>): string {
  if (!text.includes("<")) return text;
  return text.replaceAll(/<([^<>]*)>/g, (whole, name: string) => {
    const image = permutation.get(Symbol.for(name) as unknown as Identity);
    return image === undefined ? whole : mention(image);
  });
}

/** The position of an identity in its set, for protocols that order their servers: refused where symmetry is declared. */
export function rank<I extends Identity>(set: IdentitySet<I>, identity: I): number {
  if (set.symmetric) throw new TypeError(`${nameOf(identity)} has no rank: its set is declared symmetric`);
  return set.members.indexOf(identity);
}

/** A table with an entry for each member. */
export function table<I extends Identity, T>(set: IdentitySet<I>, entry: (identity: I) => T): Table<I, T> {
  const result = {} as Table<I, T>;
  for (const member of set.members) result[member] = entry(member);
  return result;
}

/** Every (a, b), also a = b: TLA+'s `\E a \in A, b \in B`. */
export function product<A extends Identity, B extends Identity>(
  first: IdentitySet<A>,
  second: IdentitySet<B>,
): readonly (readonly [A, B])[] {
  return first.members.flatMap((a) => second.members.map((b) => [a, b] as const));
}

/** Every (a, b) with a other than b. */
export function pairs<I extends Identity>(set: IdentitySet<I>): readonly (readonly [I, I])[] {
  return product(set, set).filter(([a, b]) => a !== b);
}

/** Each member alone, as a parameter list. */
export function each<I extends Identity>(set: IdentitySet<I>): readonly (readonly [I])[] {
  return set.members.map((member) => [member] as const);
}
