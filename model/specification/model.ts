import type { Identity, IdentitySet } from "./identity.ts";
import type { Measure } from "./measure.ts";
import type { HistoryDeclaration } from "./recorded-history.ts";
import type { FiniteSet, Value } from "./value.ts";

/** Returned by an action that is not enabled in this state with these parameters. */
export const disabled: unique symbol = Symbol("disabled");

/** Returned by a property whose premise is false: it holds, but was not exercised. */
export const vacuous: unique symbol = Symbol("vacuous");

/** What a property says of a state or a step. */
export type Judgement = boolean | typeof vacuous;

/** A state as actions and properties read it. */
export type Now<T> = T extends FiniteSet<Value> | string | number | boolean | symbol | null
  ? T
  : { readonly [K in keyof T]: Now<T[K]> };

/**
 * A guarded effect: reads `now`, writes `next`, which starts as a copy of `now`. It must not do anything else, and
 * must not depend on anything but `now`, its parameters and the model's constants.
 *
 * A variable that is a table of identities is split into one entry for each identity (or pair): the entry is the
 * unit of reading and writing, values inside are replaced and never mutated.
 */
export type Effect<State, P extends readonly Value[]> = (
  now: Now<State>,
  next: State,
  ...parameters: P
) => void | typeof disabled;

/**
 * Parameter lists: fixed, or a function of the state, or several of which each reads a part of it and all are tried
 * one after the other (the messages of each server, say: an engine need not tell apart what one of them does not read).
 */
export type ParameterLists<State, P extends readonly Value[]> =
  readonly P[] | ParametersOf<State, P> | readonly ParametersOf<State, P>[];
export type ParametersOf<State, P extends readonly Value[]> = (now: Now<State>) => Iterable<P>;

export interface Action<State> {
  /** The action's name in the published specification. */
  readonly name: string;
  /** The parameter lists tried in each state. Each that is enabled is a successor. */
  readonly parameters: ParameterLists<State, readonly Value[]>;
  readonly effect: Effect<State, readonly Value[]>;
  /** Who acts: the lane of a space-time diagram. The first identity among the parameters where absent. */
  readonly actor?: (...parameters: readonly Value[]) => Identity | undefined;
  /** True for crashes, timeouts, lost messages: what happens to the system rather than in it. */
  readonly fault?: boolean;
}

/** A property of a state, evaluated in every reachable one. */
export interface Invariant<State> {
  readonly name: string;
  /** It must hold for each of these lists, TLA+'s `\A`: one empty list where it is not quantified. */
  readonly parameters: readonly (readonly Value[])[];
  readonly holds: (now: Now<State>, ...parameters: readonly Value[]) => Judgement;
}

/** The action of a step. */
export interface Taken {
  readonly action: string;
  readonly parameters: readonly Value[];
}

/** A property of a transition, evaluated for every one. */
export interface StepProperty<State> {
  readonly name: string;
  /** As an invariant's. */
  readonly parameters: readonly (readonly Value[])[];
  /** After the parameters it is told the action of the step, if it takes one more. */
  readonly holds: (
    before: Now<State>,
    after: Now<State>,
    ...parameters: readonly [...Value[], Taken]
  ) => Judgement;
}

/** Something that must be seen at least once, so that a model can't satisfy its properties by doing nothing. */
export interface Witness<State> {
  readonly name: string;
  readonly seen: (now: Now<State>) => boolean;
}

/** From every reachable state (that satisfies `from`), some state that satisfies `to` can still be reached. */
export interface Recoverable<State> {
  readonly name: string;
  readonly from?: (now: Now<State>) => boolean;
  readonly to: (now: Now<State>) => boolean;
}

/** What a picture of a counterexample needs to know; every part is optional. */
export interface Presentation<State> {
  /** The variable that holds messages under way, as `[from][to]` sequences. */
  readonly channel?: keyof State & string;
  /** A message in a few words. */
  readonly message?: (message: Value) => string;
  /** A step in the words of its users; undefined for one that its name and parameters tell. */
  readonly step?: (before: Now<State>, after: Now<State>, taken: Taken) => string | undefined;
}

/** A model with its parameters fixed: what an exploration explores. */
export interface Model<State> {
  readonly name: string;
  /** As given, for people and for checkpoints. */
  readonly parameters: Parameters;
  readonly variant?: string;
  /** Every set of identities that states mention. */
  readonly identities: readonly IdentitySet<Identity>[];
  readonly initial: readonly State[];
  readonly actions: readonly Action<State>[];
  /** States that break it are counted and checked, but neither stored nor expanded: TLC's CONSTRAINT. */
  readonly constraint?: (now: Now<State>) => boolean;
  readonly invariants?: readonly Invariant<State>[];
  readonly stepProperties?: readonly StepProperty<State>[];
  readonly witnesses?: readonly Witness<State>[];
  readonly recoverable?: readonly Recoverable<State>[];
  /** Told by witnesses (see `measuring`), which `witnesses` holds, too. */
  readonly measures?: readonly Measure<State>[];
  /** The history that it records, and what that must satisfy. */
  readonly history?: HistoryDeclaration<State>;
  /** Variables that a view leaves out of the state's identity; they must not influence any guard or property. */
  readonly ghosts?: readonly (keyof State & string)[];
  readonly presentation?: Presentation<State>;
}

export type Parameters = { readonly [name: string]: number | boolean | string };

/** One parameter of a model as the command line offers it. */
export type ParameterDeclaration =
  | {
      readonly kind: "integer";
      readonly summary: string;
      readonly default: number;
      readonly minimum: number;
      readonly maximum: number;
    }
  | { readonly kind: "flag"; readonly summary: string; readonly default: boolean }
  | {
      readonly kind: "choice";
      readonly summary: string;
      readonly default: string;
      readonly choices: readonly string[];
    };

export interface VariantDeclaration {
  readonly summary: string;
  /** Whether every property is expected to hold. */
  readonly holds: boolean;
  /** The property that is expected to fail. */
  readonly property?: string;
  /** Only this property is checked: stronger ones fail sooner. */
  readonly alone?: boolean;
  /** Where the defect is known from. */
  readonly source?: string;
  /** Parameters in which it shows, where they differ from the defaults. */
  readonly parameters?: Parameters;
}

/** A model as it is published: what `zabcheck explore NAME` finds. A module of one's own exports one of these. */
export interface ModelDefinition {
  readonly kind: "model";
  readonly name: string;
  readonly summary: string;
  /** The publication or specification that it follows. */
  readonly source?: string;
  readonly parameters: { readonly [name: string]: ParameterDeclaration };
  readonly variants?: { readonly [name: string]: VariantDeclaration };
  /** How it is explored unless told otherwise: up to symmetry; judging `recoverable` whatever the number of states. */
  readonly exploration?: { readonly symmetry?: boolean; readonly recoverability?: boolean };
  // A definition hides its state's type: explorations treat states as opaque.
  build(parameters: Parameters, variant?: string): Model<unknown>;
}

/** `P`, and no source of inference: an action's parameter lists alone say what its parameters are. */
type Given<P extends readonly Value[]> = [P] extends [infer Q extends readonly Value[]] ? Q : never;

/** The words in which a model over `State` is written, typed for that state. */
export interface Vocabulary<State> {
  action<P extends readonly Value[]>(
    name: string,
    parameters: ParameterLists<State, P>,
    effect: Effect<State, Given<P>>,
    options?: {
      readonly fault?: boolean;
      readonly actor?: (...parameters: Given<P>) => Identity | undefined;
    },
  ): Action<State>;
  invariant(name: string, holds: (now: Now<State>) => Judgement): Invariant<State>;
  /** One that must hold for each of these parameter lists: `\A i \in Server`. */
  invariant<P extends readonly Value[]>(
    name: string,
    parameters: readonly P[],
    holds: (now: Now<State>, ...parameters: Given<P>) => Judgement,
  ): Invariant<State>;
  stepProperty(
    name: string,
    holds: (before: Now<State>, after: Now<State>, taken: Taken) => Judgement,
  ): StepProperty<State>;
  stepProperty<P extends readonly Value[]>(
    name: string,
    parameters: readonly P[],
    holds: (before: Now<State>, after: Now<State>, ...parameters: [...Given<P>, taken: Taken]) => Judgement,
  ): StepProperty<State>;
  witness(name: string, seen: Witness<State>["seen"]): Witness<State>;
}

/**
 * The vocabulary of one state type.
 *
 * @example
 * const { action, invariant } = vocabulary<Jugs>();
 * const EmptyBig = action("EmptyBig", [[]], (now, next) => { next.big = 0; });
 */
export function vocabulary<State>(): Vocabulary<State> {
  return {
    action: (name, parameters, effect, options) =>
      ({ name, parameters, effect, ...options }) as unknown as Action<State>,
    invariant: (name: string, ...quantified: readonly unknown[]) =>
      quantify(name, quantified) as unknown as Invariant<State>,
    stepProperty: (name: string, ...quantified: readonly unknown[]) =>
      quantify(name, quantified) as unknown as StepProperty<State>,
    witness: (name, seen) => ({ name, seen }),
  };
}

/** A property from [holds] or [parameters, holds]. */
function quantify(name: string, quantified: readonly unknown[]): object {
  const [parameters, holds] = quantified.length === 1 ? [[[]], quantified[0]] : quantified;
  return { name, parameters, holds };
}

/** How a draft takes a change of an entry, and a state is looked at through a function, where they have ways of their own. */
export const updating: unique symbol = Symbol("updating");
export const projecting: unique symbol = Symbol("projecting");

/**
 * Changes an entry by what it is, as `draft[key] = change(draft[key], ...more)` would, without asking what it is: what
 * else the action does must not depend on it. So an engine need not tell apart states that differ in this entry alone.
 *
 * `change` is a function of its arguments, and of what the action has read before. One that stands outside of the
 * action, with what it needs as `more` (values of the model), is remembered by these.
 *
 * @example
 * update(next.msgs[from], to, append, message);
 */
export function update<T extends object, K extends keyof T, More extends readonly unknown[]>(
  draft: T,
  key: K,
  change: (entry: T[K], ...more: More) => T[K],
  ...more: More
): void {
  const its = (
    draft as { [updating]?: (key: K, change: (entry: T[K], ...more: More) => T[K], more: More) => void }
  )[updating];
  if (its === undefined) draft[key] = change(draft[key], ...more);
  else its.call(draft, key, change, more);
}

/**
 * An entry as a function shows it, as `show(state[key], ...more)` would, where the action depends on no more of the
 * entry than that. So an engine need not tell apart states whose entries look alike through it.
 *
 * `show` stands outside of the action, and comes to a value of the model: never to `undefined`.
 *
 * @example
 * const head = project(now.msgs[from], to, headOf);
 */
export function project<T extends object, K extends keyof T, More extends readonly unknown[], Shown>(
  state: T,
  key: K,
  show: (entry: T[K], ...more: More) => Shown,
  ...more: More
): Shown {
  type Show = typeof show;
  const its = (state as { [projecting]?: (key: K, show: Show, more: More) => Shown })[projecting];
  return its === undefined ? show(state[key], ...more) : its.call(state, key, show, more);
}

/** The functions of the state that an action's parameter lists come from; undefined where they are fixed. */
export function parameterFunctions<State>({
  parameters,
}: Action<State>): readonly ParametersOf<State, readonly Value[]>[] | undefined {
  if (typeof parameters === "function") return [parameters];
  return typeof parameters[0] === "function"
    ? (parameters as readonly ParametersOf<State, readonly Value[]>[])
    : undefined;
}

/** The lists that do not depend on the state; none where they do. */
export function fixedLists<State>(action: Action<State>): readonly (readonly Value[])[] {
  return parameterFunctions(action) === undefined ? (action.parameters as readonly (readonly Value[])[]) : [];
}

/** An action's parameter lists in a state. */
export function parameterLists<State>(action: Action<State>, now: Now<State>): readonly (readonly Value[])[] {
  return parameterFunctions(action)?.flatMap((lists) => [...lists(now)]) ?? fixedLists(action);
}

/** The model with some of its properties only, those whose names are to be kept. */
export function withProperties<State>(model: Model<State>, keep: (name: string) => boolean): Model<State> {
  const kept = <P extends { readonly name: string }>(properties: readonly P[] = []): readonly P[] =>
    properties.filter(({ name }) => keep(name));
  return {
    ...model,
    invariants: kept(model.invariants),
    stepProperties: kept(model.stepProperties),
    recoverable: kept(model.recoverable),
  };
}

/** What an invariant says of a state. */
export function judgeState<State>({ parameters, holds }: Invariant<State>, now: Now<State>): Judgement {
  return forAll(parameters, (list) => holds(now, ...list));
}

/** What a step property says of a step. */
export function judgeStep<State>(
  { parameters, holds }: StepProperty<State>,
  before: Now<State>,
  after: Now<State>,
  taken: Taken,
): Judgement {
  return forAll(parameters, (list) => holds(before, after, ...list, taken));
}

/** For all cases: false if any is false, `vacuous` if none was exercised. */
export function forAll<T>(cases: Iterable<T>, holds: (each: T) => Judgement): Judgement {
  let exercised = false;
  for (const one of cases) {
    const judgement = holds(one);
    if (judgement === false) return false;
    if (judgement === true) exercised = true;
  }
  return exercised ? true : vacuous;
}

/** Erases the state's type, as definitions and engines need it. */
export function opaque<State>(model: Model<State>): Model<unknown> {
  return model as unknown as Model<unknown>;
}
