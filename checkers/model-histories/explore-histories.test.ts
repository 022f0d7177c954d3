import { describe, expect, it } from "vitest";
import {
  replicatedService,
  successors,
  type Model,
  type ModelDefinition,
  type Parameters as ModelParameters,
} from "../../model/index.ts";
import { buildModel, explore, replay, traceOf, type ExplorationOptions } from "../exploration/index.ts";
import { exploreHistories, type HistoryExploration } from "./explore-histories.ts";
import { observed, withPromises } from "./tally.ts";

const slowMs = 60_000;

function modelOf(parameters: ModelParameters, variant?: string): Model<unknown> {
  return buildModel(replicatedService, { parameters, ...(variant === undefined ? {} : { variant }) });
}

function said({ result }: HistoryExploration): { readonly [name: string]: string } {
  return Object.fromEntries(
    result.verdicts.map(({ name, verdict, vacuous }) => [name, vacuous === true ? "vacuous" : verdict]),
  );
}

function found({ examples }: HistoryExploration): { readonly [name: string]: number } {
  return Object.fromEntries(
    examples.map(({ promise, kind, counterexample }) => [`${promise.name} ${kind}`, counterexample.length]),
  );
}

const symmetric: ExplorationOptions = { symmetry: true };

describe("the histories of the replicated service", () => {
  it(
    "are linearizable in their writes, not in their reads; syncs may be stale, sessions run forwards",
    { timeout: slowMs },
    async () => {
      const exploration = await exploreHistories(modelOf({ operations: 2 }), symmetric);
      expect(exploration.coverage).toBe("every");
      expect(said(exploration)).toEqual({
        WritesLinearizable: "holds",
        ReadsLinearizable: "violated",
        SessionOrder: "holds",
        SingleSystemImage: "holds",
        SyncedReads: "holds",
      });
      expect(found(exploration)).toEqual({ "ReadsLinearizable violation": 7, "SyncedReads anomaly": 8 });
      const [read, sync] = exploration.examples;
      expect(read?.events.at(-1)).toMatchObject({ type: "ok", f: "getData", value: { data: "" } });
      expect(read?.violation?.summary).toContain("can't be explained");
      expect(sync?.events.at(-1)).toMatchObject({ type: "ok", f: "sync+getData", value: { data: "" } });
    },
  );

  it(
    "are linearizable in their reads, too, and never stale, where reads ask a quorum",
    { timeout: slowMs },
    async () => {
      const exploration = await exploreHistories(modelOf({ operations: 2 }, "quorum-reads"), symmetric);
      expect(new Set(Object.values(said(exploration)))).toEqual(new Set(["holds"]));
      expect(exploration.examples).toEqual([]);
    },
  );

  it.each([
    ["lost-write", "WritesLinearizable", 9],
    ["takes-anybody", "SingleSystemImage", 8],
    ["old-snapshot", "SessionOrder", 8],
  ] as const)(
    "break with %s the promise %s, in %d states",
    { timeout: slowMs },
    async (variant, promise, states) => {
      expect(replicatedService.variants?.[variant]?.property).toBe(promise);
      const exploration = await exploreHistories(modelOf({}, variant), symmetric);
      expect(said(exploration)[promise]).toBe("violated");
      expect(found(exploration)[`${promise} violation`]).toBe(states);
    },
  );

  it("break every promise in some variant, or show the anomaly that it is about", () => {
    const promises = modelOf({}).history?.promises.map(({ name }) => name) ?? [];
    const broken = Object.values(replicatedService.variants ?? {}).map(({ property }) => property);
    expect(promises.filter((name) => !broken.includes(name))).toEqual(["ReadsLinearizable", "SyncedReads"]);
  });
});

describe("what is covered", () => {
  it.each([
    { operations: 2, moves: 0, depositions: 0, servers: 1 },
    { operations: 1, moves: 1, depositions: 1, servers: 2 },
  ])("is every history of every run within %j, as going every way shows", async (bounds) => {
    const model = modelOf(bounds);
    const seen = new Set<string>();
    await explore(observed(model, (events) => seen.add(JSON.stringify(events))));
    const met = new Set<string>();
    const look = observed(model, (events) => met.add(JSON.stringify(events)));
    for (const state of everyWay(model)) look.invariants?.at(-1)?.holds(state as never);
    expect(seen).toEqual(met);
    expect(seen.size).toBeGreaterThan(20);
  });

  it("is one history a state where the history is no part of it: what is not found there is unknown", async () => {
    const model = modelOf({ servers: 2, operations: 3, moves: 0 });
    const exploration = await exploreHistories(model, { ...symmetric, view: true });
    expect(exploration.coverage).toBe("one a state");
    expect(said(exploration)).toMatchObject({ ReadsLinearizable: "violated", SessionOrder: "unknown" });
    expect(exploration.result.distinct).toBeLessThan(5_000);
  });

  it("is what random walks meet: what is not found there is unknown", async () => {
    const options: ExplorationOptions = { mode: "simulation", walksMax: 300, seed: 1 };
    const exploration = await exploreHistories(modelOf({ operations: 4 }), options);
    expect(exploration.coverage).toBe("walks");
    expect(said(exploration)).toMatchObject({ ReadsLinearizable: "violated", WritesLinearizable: "unknown" });
    expect(found(exploration)["ReadsLinearizable violation"]).toBeGreaterThanOrEqual(7);
  });

  it("is nothing for sure where the exploration ended early", async () => {
    const exploration = await exploreHistories(modelOf({ operations: 2 }), { ...symmetric, depthMax: 5 });
    expect(exploration.coverage).toBe("some");
    expect(new Set(Object.values(said(exploration)))).toEqual(new Set(["unknown"]));
  });
});

describe("a model that records histories", () => {
  it("has counterexamples that can be run again, and break the promise again", async () => {
    const model = modelOf({ operations: 2, moves: 0, depositions: 0 });
    const { examples } = await exploreHistories(model, symmetric);
    const counterexample = examples[0]?.counterexample;
    if (counterexample === undefined) throw new Error("no counterexample");
    const judging: ModelDefinition = {
      ...replicatedService,
      build: (...given) => withPromises(replicatedService.build(...given)),
    };
    const again = replay(judging, traceOf(withPromises(model), null, counterexample));
    expect(again).toMatchObject({ outcome: "broken", differs: false });
  });

  it("is refused with several workers, and where it records nothing", async () => {
    await expect(exploreHistories(modelOf({}), { workers: 2 })).rejects.toThrow("2 workers and histories");
    const { history: _history, ...without } = modelOf({});
    await expect(exploreHistories(without)).rejects.toThrow("records no history");
  });

  it("says unknown of its promises where its checker can't be had", async () => {
    const model = modelOf({ operations: 1 });
    const promises = [{ name: "NoSuch", as: "zookeeper", verdict: "no-such-verdict" }];
    const exploration = await exploreHistories({
      ...model,
      history: { variable: "history" as never, promises },
    });
    expect(said(exploration)).toEqual({ NoSuch: "unknown" });
    const wrong = {
      ...model,
      history: { variable: "history" as never, promises: [{ name: "X", as: "no such" }] },
    };
    await expect(exploreHistories(wrong)).rejects.toThrow("no such");
  });
});

/** The states on every way through a model, one way after the other: ways that meet are not taken for one. */
function* everyWay(model: Model<unknown>): Generator {
  const open: unknown[] = [...model.initial];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    yield state;
    for (const step of successors(model, state)) open.push(step.state);
  }
}
