import fc from "fast-check";
import {
  disabled,
  opaque,
  vacuous,
  vocabulary,
  type Action,
  type Model,
  type Now,
} from "../../model/index.ts";

/** Models in which something that was never read is read after all, late or never. */
interface State {
  level: number;
  value: number;
  /** Written by most ways, read by some on one level. */
  last: string;
  other: string;
}

/** Looks at the last way on one level alone. */
interface Late {
  readonly level: number;
  readonly way: number;
}

interface Way {
  readonly writes: "last" | "other" | "both" | "none";
  readonly adds: number;
  /** Not to be gone after this way. */
  readonly notAfter: Late | null;
  readonly lists: "fixed" | "dependent" | "late";
}

export interface LadderPlan {
  readonly levels: number;
  readonly ways: readonly Way[];
  readonly forbidden: Late | null;
  readonly forbiddenStep: Late | null;
  readonly namesAction: boolean;
  readonly seen: Late | null;
  readonly constraint: Late | null;
}

const levelsMax = 5;
const latePlan: fc.Arbitrary<Late> = fc.record({
  level: fc.integer({ min: 1, max: levelsMax }),
  way: fc.integer({ min: 0, max: 2 }),
});
const rarely = fc.option(latePlan, { freq: 2 });
const wayPlan: fc.Arbitrary<Way> = fc.record({
  writes: fc.constantFrom(
    "last" as const,
    "both" as const,
    "both" as const,
    "other" as const,
    "none" as const,
  ),
  adds: fc.integer({ min: 0, max: 2 }),
  notAfter: rarely,
  lists: fc.constantFrom("fixed" as const, "fixed" as const, "dependent" as const, "late" as const),
});

/** Plans of ladders: each way leads from each level to the next. */
export const ladderPlan: fc.Arbitrary<LadderPlan> = fc.record({
  levels: fc.integer({ min: 2, max: levelsMax }),
  ways: fc.array(wayPlan, { minLength: 2, maxLength: 4 }),
  forbidden: rarely,
  forbiddenStep: rarely,
  namesAction: fc.boolean(),
  seen: rarely,
  constraint: rarely,
});

const { action, invariant, stepProperty, witness } = vocabulary<State>();

function isAt(late: Late | null, now: Now<State>): boolean {
  return late !== null && now.level === late.level && now.last === `Way${late.way}`;
}

/** The model of a plan. */
export function ladderOf(plan: LadderPlan): Model<unknown> {
  const { levels, ways, forbidden, forbiddenStep, namesAction, seen, constraint } = plan;
  const actions = ways.map((way, index): Action<State> => {
    const name = `Way${index}`;
    const lists = {
      fixed: [[way.adds]] as const,
      dependent: (now: Now<State>) => (now.value === 2 ? [] : [[way.adds]]) as readonly (readonly [number])[],
      late: (now: Now<State>) =>
        (now.level === 3 && now.last === name ? [] : [[way.adds]]) as readonly (readonly [number])[],
    }[way.lists];
    return action(name, lists, (now, next, adds: number) => {
      if (now.level === levels || isAt(way.notAfter, now)) return disabled;
      next.level = now.level + 1;
      next.value = (now.value + adds) % 3;
      if (way.writes === "last" || way.writes === "both") next.last = name;
      if (way.writes === "other" || way.writes === "both") next.other = name;
      return undefined;
    });
  });
  const mayFollow = (before: Now<State>): boolean => !isAt(forbiddenStep, before);
  return opaque<State>({
    name: "ladder",
    parameters: {},
    identities: [],
    initial: [{ level: 0, value: 0, last: "", other: "" }],
    actions,
    ...(constraint === null ? {} : { constraint: (now) => !isAt(constraint, now) }),
    invariants: [
      invariant("Forbidden", (now) => (now.level === forbidden?.level ? !isAt(forbidden, now) : vacuous)),
    ],
    stepProperties: [
      namesAction
        ? stepProperty(
            "ForbiddenStep",
            [[1] as const],
            (before, _, one: number, taken) => taken.action === `Way${one}` || mayFollow(before),
          )
        : stepProperty("ForbiddenStep", (before, after) => after.value === before.value || mayFollow(before)),
    ],
    witnesses: [witness("Seen", (now) => isAt(seen, now))],
  });
}
