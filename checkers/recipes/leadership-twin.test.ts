import fc from "fast-check";
import { expect, test } from "vitest";
import {
  candidatesPath,
  type Event,
  guardPath,
  type Json,
  nodeName,
  parseLeadership,
  sequenceNumber,
  type Zxid,
} from "../../model/index.ts";
import { simulatedHistory } from "../zookeeper/simulated-history.ts";
import { election, outcome } from "./for-tests.ts";
import { checkLeadership } from "./leadership.ts";

/*
 * The slow twin of checkLeadership: each definition tried out, zxid by zxid and pair by pair, on elections whose
 * clients draw what they do and believe.
 */
interface Life {
  readonly path: string;
  readonly born: Zxid;
  readonly died: Zxid;
}

const field = (event: Event, name: string): Json | undefined =>
  (event.value as { readonly [name: string]: Json } | null)?.[name];

function livesOf(events: readonly Event[]): Life[] {
  const done = (f: string): Event[] => events.filter((event) => event.type === "ok" && event.f === f);
  return done("create")
    .filter((event) => String(field(event, "path")).startsWith(`${candidatesPath}/`))
    .map((event) => {
      const path = String(field(event, "path"));
      const gone = done("delete").find((other) => field(other, "path") === path);
      return { path, born: event.zxid as Zxid, died: gone?.zxid ?? Infinity };
    });
}

function isLowest(life: Life, lives: readonly Life[], zxid: Zxid): boolean {
  const isAlive = ({ born, died }: Life): boolean => born <= zxid && zxid < died;
  const number = (path: string): number => sequenceNumber(nodeName(path)) as number;
  return isAlive(life) && lives.every((other) => !isAlive(other) || number(other.path) >= number(life.path));
}

function zxidsUpTo(zxid: Zxid): Zxid[] {
  return Array.from({ length: zxid }, (_, i) => i + 1);
}

function believesRightly(events: readonly Event[], lives: readonly Life[], newest: Zxid): boolean {
  return events.every((event) => {
    const what = parseLeadership(event);
    if (what?.f !== "lead") return true;
    const seen = events
      .filter(
        ({ type, index, session }) => type !== "invoke" && index < event.index && session === what.session,
      )
      .flatMap(({ zxid }) => zxid ?? []);
    const life = lives.find(({ path, born }) => path === what.candidate && born === what.token);
    const until = seen.length === 0 ? newest : Math.max(...seen);
    return life !== undefined && zxidsUpTo(until).some((zxid) => isLowest(life, lives, zxid));
  });
}

function acceptsInOrder(events: readonly Event[], lives: readonly Life[], newest: Zxid): boolean {
  const shown = events.filter(({ type, f }) => type === "ok" && (f === "setData" || f === "getData"));
  const lists = shown.map((event) => {
    const asked = events.findLast(({ type, index }) => type === "invoke" && index < event.index) as Event;
    const data = String(event.f === "setData" ? field(asked, "data") : field(event, "data"));
    return { event, tokens: data.split(" ").filter(Boolean).map(Number) };
  });
  const rises = lists.every(({ tokens }) =>
    tokens.every((token, i) => token > 0 && tokens.slice(0, i).every((before) => before < token)),
  );
  const owned = lists.every(({ event, tokens }) => {
    const life = lives.find(({ born }) => born === tokens.at(-1));
    if (event.f === "getData" || tokens.length === 0) return true;
    return life !== undefined && zxidsUpTo(newest).some((zxid) => isLowest(life, lives, zxid));
  });
  const inTurn = lists.every(({ event: a, tokens: some }) =>
    lists.every(({ event: b, tokens: others }) => {
      const isBefore = (a.zxid as Zxid) < (b.zxid as Zxid) && some.length > 0 && others.length > 0;
      return !isBefore || (some.at(-1) as Zxid) <= (others.at(-1) as Zxid);
    }),
  );
  return rises && owned && inTurn;
}

/** How many pairs of beliefs overlap, and for how many ms at most. */
function zombiesOf(events: readonly Event[]): readonly [count: number, longestMs: number] {
  const told = events.map((event) => ({ event, what: parseLeadership(event) }));
  const beliefs = told
    .filter(({ what }) => what?.f === "lead")
    .map(({ event, what }) => {
      const later = told.filter((each) => each.event.index > event.index);
      const own = later.find((each) => each.what?.candidate === what?.candidate);
      return { begin: event, end: own?.what?.f === "step" ? own.event : undefined };
    });
  const overlaps = beliefs.flatMap((old) =>
    beliefs
      .filter(({ begin }) => begin.index > old.begin.index && begin.index < (old.end?.index ?? Infinity))
      .map((young) => ((old.end ?? young.end ?? young.begin).time - young.begin.time) / 1e6),
  );
  return [overlaps.length, Math.max(0, ...overlaps)];
}

const moves = fc.array(
  fc.record({
    client: fc.integer({ min: 1, max: 3 }),
    does: fc.constantFrom("join", "join", "resign", "look", "lead", "step", "fence", "fence"),
    wrong: fc.integer({ min: 0, max: 5 }),
  }),
  { maxLength: 24 },
);

/** Clients join, resign, look, believe at any time, and append tokens that may be another's. */
function electionOf(list: typeof moves extends fc.Arbitrary<infer Moves> ? Moves : never): readonly Event[] {
  const recorder = election();
  const own = new Map<number, { readonly node: string; readonly token: Zxid }>();
  let [born, tokens] = [0, [] as readonly Zxid[]];
  for (const { client, does, wrong } of list) {
    const mine = own.get(client);
    if (does === "look") recorder.act(client, { op: "getChildren", path: candidatesPath });
    else if (does === "join" && mine === undefined) {
      const token = recorder.create(client, `${candidatesPath}/c-`, "ephemeral-sequential");
      own.set(client, { node: `c-${String(born++).padStart(10, "0")}`, token });
    } else if (mine === undefined) continue;
    else if (does === "resign") {
      recorder.act(client, { op: "delete", path: `${candidatesPath}/${mine.node}`, version: -1 });
      own.delete(client);
    } else if (does === "lead" || does === "step") recorder.believe(does, client, mine.node, mine.token);
    else if (does === "fence") {
      const last = wrong === 0 ? 1 : mine.token;
      if (last === tokens.at(-1) || (wrong > 2 && last < (tokens.at(-1) ?? 0))) continue;
      tokens = [...tokens, last];
      recorder.act(client, { op: "setData", path: guardPath, data: tokens.join(" "), version: -1 });
    }
  }
  return recorder.builder.events;
}

test("leadership is judged as by trying every zxid and every pair", () => {
  const seen = new Map<string, number>();
  const note = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1);
  fc.assert(
    fc.property(moves, (list) => {
      const events = electionOf(list);
      const lives = livesOf(events);
      const newest = Math.max(...events.map(({ zxid }) => zxid ?? 0));
      const verdicts = checkLeadership(events);
      const slow = {
        "leader-was-lowest": believesRightly(events, lives, newest),
        "fencing-tokens": acceptsInOrder(events, lives, newest),
      };
      for (const [name, holds] of Object.entries(slow)) {
        const fast = outcome(verdicts, name);
        expect([name, fast === "violated"]).toEqual([name, !holds]);
        note(`${name} ${fast}`);
      }
      const zombies = verdicts.find(({ name }) => name === "zombie-leaders");
      const [count, longestMs] = zombiesOf(events);
      if (zombies?.vacuous !== true)
        expect(zombies?.counts).toMatchObject({ zombies: count, "longest ms": longestMs });
      if (count > 0) note("zombies");
      expect(outcome(verdicts, "one-lowest-candidate")).not.toBe("violated");
    }),
    { numRuns: 250, seed: 3 },
  );
  for (const what of ["leader-was-lowest", "fencing-tokens"])
    for (const each of ["holds", "violated"]) expect(seen.get(`${what} ${each}`)).toBeGreaterThan(4);
  expect(seen.get("zombies")).toBeGreaterThan(4);
});

test("a number that was given to a candidate before is found, and no other", () => {
  const found = (defect: object): number =>
    [1, 2, 3, 4, 5].filter((seed) => {
      const options = { seed: seed * 7919, steps: 1500, losses: 20, expiries: 10 };
      const verdicts = checkLeadership(simulatedHistory({ ...options, ...defect }), { candidates: "/d0" });
      return outcome(verdicts, "one-lowest-candidate") === "violated";
    }).length;
  expect(found({})).toBe(0);
  expect(found({ defect: "number-reused" })).toBeGreaterThanOrEqual(3);
});
