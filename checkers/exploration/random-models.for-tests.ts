import fc from "fast-check";
import {
  disabled,
  each,
  opaque,
  pairs,
  project,
  servers,
  setOf,
  table,
  update,
  vacuous,
  vocabulary,
  type Action,
  type FiniteSet,
  type Model,
  type Now,
  type PerPair,
  type PerServer,
  type Server,
} from "../../model/index.ts";

/** The state of every random model: an entry of each shape that models have. */
interface State {
  role: PerServer<number>;
  box: PerPair<readonly number[]>;
  seen: PerServer<FiniteSet<Server>>;
  token: Server | null;
  clock: number;
  /** A ghost: written, never read. */
  last: string;
  /** Written by most actions, read by some or by nobody. */
  mark: string;
}

const { action, invariant, stepProperty, witness } = vocabulary<State>();

/** Conditions and effects as data; i and j are the action's servers (the same one for an action of one server). */
type Guard =
  | { readonly kind: "role"; readonly of: "i" | "j"; readonly is: number }
  | { readonly kind: "token"; readonly is: "i" | "none" | "other" }
  | { readonly kind: "head" | "projected-head"; readonly is: number }
  | { readonly kind: "room" | "projected-room" }
  | { readonly kind: "number-seen"; readonly is: number }
  | { readonly kind: "clock"; readonly below: number }
  | { readonly kind: "seen"; readonly has: boolean }
  | { readonly kind: "marked"; readonly by: number };
type Effect =
  | { readonly kind: "role"; readonly of: "i" | "j"; readonly to: number }
  | { readonly kind: "roles"; readonly to: number }
  | { readonly kind: "copy" | "mirror" }
  | { readonly kind: "token"; readonly to: "i" | "none" }
  | { readonly kind: "send" | "resend" | "post"; readonly what: number }
  | { readonly kind: "take" | "drop" }
  | { readonly kind: "tick" }
  | { readonly kind: "see" }
  | { readonly kind: "forget" };

interface ActionPlan {
  readonly two: boolean;
  /** Whether its parameters are fixed, a function of the state, or one for each server. */
  readonly lists: "fixed" | "dependent" | "in parts";
  readonly guards: readonly Guard[];
  readonly effects: readonly Effect[];
  readonly fault: boolean;
  /** It leaves the mark as it was. */
  readonly quiet: boolean;
}

export interface ModelPlan {
  readonly servers: number;
  readonly actions: readonly ActionPlan[];
  /** No two servers may satisfy these at once; vacuous where none satisfies the first. */
  readonly forbidden: readonly Guard[];
  /** No step may take a server from one role to another, unless it is of this action. */
  readonly forbiddenStep: { readonly from: number; readonly to: number; readonly except: number };
  /** No step may take the clock on from a state of this mark. */
  readonly stoppedBy: number | null;
  readonly constraint: number | null;
  readonly twoInitial: boolean;
}

const small = fc.integer({ min: 0, max: 2 });
const which = fc.constantFrom("i" as const, "j" as const);
const guardPlan: fc.Arbitrary<Guard> = fc.oneof(
  fc.record({ kind: fc.constant("role" as const), of: which, is: small }),
  fc.record({
    kind: fc.constant("token" as const),
    is: fc.constantFrom("i" as const, "none" as const, "other" as const),
  }),
  fc.record({
    kind: fc.constantFrom("head" as const, "projected-head" as const),
    is: fc.integer({ min: 0, max: 1 }),
  }),
  fc.record({ kind: fc.constantFrom("room" as const, "projected-room" as const) }),
  fc.record({ kind: fc.constant("number-seen" as const), is: small }),
  fc.record({ kind: fc.constant("clock" as const), below: small }),
  fc.record({ kind: fc.constant("seen" as const), has: fc.boolean() }),
);
const markedPlan: fc.Arbitrary<Guard> = fc.record({
  kind: fc.constant("marked" as const),
  by: fc.integer({ min: 0, max: 3 }),
});
const effectPlan: fc.Arbitrary<Effect> = fc.oneof(
  fc.record({ kind: fc.constant("role" as const), of: which, to: small }),
  fc.record({ kind: fc.constant("roles" as const), to: small }),
  fc.record({ kind: fc.constantFrom("copy" as const, "mirror" as const) }),
  fc.record({ kind: fc.constant("token" as const), to: fc.constantFrom("i" as const, "none" as const) }),
  fc.record({
    kind: fc.constantFrom("send" as const, "resend" as const, "post" as const),
    what: fc.integer({ min: 0, max: 1 }),
  }),
  fc.record({ kind: fc.constantFrom("take" as const, "drop" as const) }),
  fc.record({ kind: fc.constant("tick" as const) }),
  fc.record({ kind: fc.constant("see" as const) }),
  fc.record({ kind: fc.constant("forget" as const) }),
);
const actionPlan: fc.Arbitrary<ActionPlan> = fc.record({
  two: fc.boolean(),
  lists: fc.constantFrom("fixed" as const, "dependent" as const, "in parts" as const),
  guards: fc.array(fc.oneof({ arbitrary: guardPlan, weight: 9 }, { arbitrary: markedPlan, weight: 1 }), {
    minLength: 1,
    maxLength: 3,
  }),
  effects: fc.array(effectPlan, { minLength: 0, maxLength: 3 }),
  fault: fc.boolean(),
  quiet: fc.integer({ min: 0, max: 5 }).map((chance) => chance === 0),
});

/** Plans of small models that are symmetric in their servers. */
export const modelPlan: fc.Arbitrary<ModelPlan> = fc.record({
  servers: fc.integer({ min: 1, max: 3 }),
  actions: fc.array(actionPlan, { minLength: 1, maxLength: 4 }),
  forbidden: fc.array(guardPlan, { minLength: 2, maxLength: 4 }),
  forbiddenStep: fc.record({ from: small, to: small, except: fc.integer({ min: 0, max: 3 }) }),
  stoppedBy: fc.option(fc.integer({ min: 0, max: 3 })),
  constraint: fc.option(fc.integer({ min: 0, max: 3 })),
  twoInitial: fc.boolean(),
});

type Box = readonly number[];
const headOf = (box: Box): number | null => box[0] ?? null;
const hasRoom = (box: Box): boolean => box.length < 1;
const sizeOf = (seen: FiniteSet<Server>): number => seen.size;
const includes = (seen: FiniteSet<Server>, server: Server): boolean => seen.has(server);
const mirrored = (role: number): number => 2 - role;
const put = (box: Box, what: number): Box => (box.length < 2 ? [...box, what] : box);
const tailOf = (box: Box): Box => box.slice(1);

function satisfies(now: Now<State>, guard: Guard, i: Server, j: Server): boolean {
  switch (guard.kind) {
    case "role":
      return now.role[guard.of === "i" ? i : j] === guard.is;
    case "token":
      return guard.is === "none" ? now.token === null : guard.is === "i" ? now.token === i : now.token !== i;
    case "head":
      return now.box[j][i][0] === guard.is;
    case "projected-head":
      return project(now.box[j], i, headOf) === guard.is;
    case "room":
      return hasRoom(now.box[i][j]);
    case "projected-room":
      return project(now.box[i], j, hasRoom);
    case "number-seen":
      return project(now.seen, i, sizeOf) === guard.is;
    case "clock":
      return now.clock < guard.below;
    case "marked":
      return now.mark === `Action${guard.by}`;
    default:
      return now.seen[i].has(j) === guard.has;
  }
}

function apply(
  now: Now<State>,
  next: State,
  effect: Effect,
  i: Server,
  j: Server,
  all: readonly Server[],
): void {
  switch (effect.kind) {
    case "role":
      next.role[effect.of === "i" ? i : j] = effect.to;
      break;
    case "roles":
      next.role = Object.fromEntries(all.map((s) => [s, effect.to])) as PerServer<number>;
      break;
    case "copy":
      next.role[i] = next.role[j];
      break;
    case "mirror":
      next.role[i] = project(next.role, j, mirrored);
      break;
    case "token":
      next.token = effect.to === "i" ? i : null;
      break;
    case "send":
      // Two sends in one effect add up; at most two messages are under way.
      update(next.box[i], j, (box) => (box.length < 2 ? [...box, effect.what] : box));
      break;
    case "post":
      update(next.box[i], j, put, effect.what);
      break;
    case "resend":
      // The same, by reading its own draft.
      if (next.box[i][j].length < 2) next.box[i][j] = [...next.box[i][j], effect.what];
      break;
    case "take":
      next.box[j][i] = now.box[j][i].slice(1);
      break;
    case "drop":
      update(next.box[j], i, tailOf);
      break;
    case "tick":
      update(next, "clock", (clock) => Math.min(2, clock + 1));
      break;
    case "see":
      next.seen[i] = now.seen[i].with(j);
      break;
    default:
      next.seen[i] = setOf<Server>();
  }
}

/** The model of a plan. */
export function modelOf(plan: ModelPlan): Model<unknown> {
  const set = servers(plan.servers, { symmetric: true });
  const all = set.members;
  const both = [...pairs(set), ...all.map((s) => [s, s] as const)];
  const actions = plan.actions.map((one, index): Action<State> => {
    const name = `Action${index}`;
    const lists = one.two ? pairs(set) : each(set).map(([s]) => [s, s] as const);
    const parameters = {
      fixed: lists,
      dependent: (now: Now<State>) => lists.filter(([i]) => now.role[i] !== 2),
      "in parts": all.map(
        (s) => (now: Now<State>) =>
          lists.filter(([i, j]) => i === s && !project(now.seen, s, includes, j) && now.role[s] !== 2),
      ),
    }[one.lists];
    return action(
      name,
      parameters,
      (now, next, i: Server, j: Server) => {
        for (const guard of one.guards) if (!satisfies(now, guard, i, j)) return disabled;
        for (const effect of one.effects) apply(now, next, effect, i, j, all);
        next.last = name;
        if (!one.quiet) next.mark = name;
        return undefined;
      },
      { fault: one.fault },
    );
  });
  const initial = (role: number): State => ({
    role: table(set, () => role),
    box: table(set, () => table(set, () => [])),
    seen: table(set, () => setOf<Server>()),
    token: null,
    clock: 0,
    last: "",
    mark: "",
  });
  const { forbidden, forbiddenStep, stoppedBy, constraint } = plan;
  const [first, ...rest] = forbidden;
  const model: Model<State> = {
    name: "random",
    parameters: {},
    identities: [set as unknown as Model<State>["identities"][number]],
    initial: plan.twoInitial ? [initial(0), initial(1)] : [initial(0)],
    actions,
    ...(constraint === null
      ? {}
      : { constraint: (now) => all.filter((s) => now.role[s] === 2).length + now.clock <= constraint }),
    invariants: [
      invariant("Forbidden", both, (now, i, j) =>
        satisfies(now, first as Guard, i, j) ? !rest.every((guard) => satisfies(now, guard, i, j)) : vacuous,
      ),
      invariant("RolesDiffer", (now) => {
        const roles = new Set(all.map((s) => now.role[s]));
        return now.clock < 2 || roles.size === 1 ? vacuous : roles.size < 3;
      }),
    ],
    stepProperties: [
      stepProperty("ForbiddenStep", each(set), (before, after, s, taken) =>
        taken.action === `Action${forbiddenStep.except}`
          ? vacuous
          : !(before.role[s] === forbiddenStep.from && after.role[s] === forbiddenStep.to),
      ),
      stepProperty("ClockMonotone", (before, after) =>
        before.clock === after.clock ? vacuous : after.clock > before.clock,
      ),
      stepProperty("ClockStops", (before, after) => {
        if (before.clock === after.clock || stoppedBy === null) return vacuous;
        return before.mark !== `Action${stoppedBy}`;
      }),
    ],
    witnesses: [witness("TokenTaken", (now) => now.token !== null)],
    ghosts: ["last"],
  };
  return opaque(model);
}
