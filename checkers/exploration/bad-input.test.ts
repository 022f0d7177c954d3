import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  dieHard,
  each,
  InputError,
  opaque,
  project,
  servers,
  table,
  vocabulary,
  zabModel,
  type Model,
  type PerServer,
  type Server,
} from "../../model/index.ts";
import { explore } from "./explore.ts";

interface State {
  role: PerServer<string>;
  list: readonly number[];
}

const { action, invariant } = vocabulary<State>();
const set = servers(2, { symmetric: true });

function modelWith(part: Partial<Model<State>>): Model<unknown> {
  return opaque<State>({
    name: "sample",
    parameters: {},
    identities: [set as unknown as Model<State>["identities"][number]],
    initial: [{ role: table(set, () => "idle"), list: [1] }],
    actions: [
      action("Work", each(set), (_, next, s) => {
        next.role[s] = "busy";
      }),
    ],
    ...part,
  });
}

/** The one line that a user reads. */
async function messageOf(model: Model<unknown>, symmetry = false): Promise<string> {
  const error: unknown = await explore(model, { symmetry }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

const escaped: { next?: State } = {};

describe("a model that", () => {
  it("throws is told with the action and the way there", async () => {
    const model = modelWith({
      actions: [
        action("First", [[]], (now, next) => {
          next.list = [...now.list, 2].slice(0, 3);
        }),
        action("Second", [[]], (now) => {
          if (now.list.length === 2) throw new Error("no such luck");
        }),
      ],
    });
    expect(await messageOf(model)).toBe(
      "the model sample: Second(): no such luck, in a state that 1 steps lead to, the last of them First()",
    );
  });

  it("changes a value in place is told so", async () => {
    const model = modelWith({
      actions: [
        action("Push", [[]], (now) => {
          (now.list as number[]).push(2);
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/Push\(\): changes a value of the state in place/);
  });

  it("looks at an entry through a function of no value is told so", async () => {
    const nothing = (): unknown => undefined;
    const model = modelWith({
      actions: [
        action("Look", [[]], (now, next) => {
          next.list = project(now, "list", nothing) === undefined ? [] : [1];
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/Look\(\): undefined is no value/);
  });

  it("looks at an entry through a function made anew each time is told so", async () => {
    const model = modelWith({
      actions: [
        action("Look", [[]], (now, next) => {
          const size = project(now, "list", (list) => list.length);
          next.list = size > 2 ? [] : [...now.list, size];
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/Look\(\): .*project.* function made anew each time/);
  });

  it("writes in a property is told so", async () => {
    const model = modelWith({
      invariants: [
        invariant("Writes", (now) => {
          (now as { list: readonly number[] }).list = [];
          return true;
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/Writes: list was written outside of an action/);
  });

  it("keeps a draft and writes it later is told so", async () => {
    const model = modelWith({
      actions: [
        action("Keep", [[]], (_, next) => {
          escaped.next ??= next;
          next.list = [];
        }),
      ],
      invariants: [
        invariant("WritesLater", (now) => {
          if (escaped.next !== undefined) escaped.next.list = [];
          return now.list.length < 2;
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/WritesLater: list was written outside of an action/);
  });

  it.each([
    ["undefined", undefined],
    ["a fraction", 0.5],
    ["a function", () => 1],
    ["an instance", new Date(0)],
    ["not a number", Number.NaN],
  ])("makes %s a part of its state is told where", async (_, value) => {
    const model = modelWith({
      actions: [
        action("Make", [[]], (now, next) => {
          next.list = [...now.list, value as number];
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(
      /^the model sample: Make\(\): list: .*(no value of a state|no safe integer)/,
    );
  });

  it("reads a variable or an entry that there is not is told which", async () => {
    const reads = (read: (now: never) => unknown): Promise<string> =>
      messageOf(modelWith({ invariants: [invariant("Reads", (now) => read(now as never) !== undefined)] }));
    expect(await reads((now: { roles: unknown }) => now.roles)).toMatch(
      /Reads: the state has no variable 'roles'/,
    );
    const [other] = servers(3, { symmetric: true }).members.slice(2);
    expect(await reads((now: State) => now.role[other as Server])).toMatch(/Reads: role has no entry for s3/);
  });

  it("declares symmetry and breaks it is told how", async () => {
    const [first] = set.members;
    const model = modelWith({
      actions: [
        action("Work", each(set), (_, next, s) => {
          if (s === first) next.role[s] = "busy";
        }),
      ],
    });
    expect(await messageOf(model, true)).toMatch(
      /declares identities symmetric and tells them apart.*Work leads elsewhere/,
    );
  });

  it("depends on something besides the state is told so", async () => {
    let calls = 0;
    const model = modelWith({
      invariants: [
        invariant("Counts", (now) => {
          calls++;
          return calls % 2 === 0 ? now.list.length > 0 : now.role[set.members[0] as Server] !== "";
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/Counts: depends on something else than the state/);
  });

  it("does by chance or by the clock what it does is told so", async () => {
    let calls = 0;
    const model = modelWith({
      actions: [
        action("Roll", [[]], (_, next) => {
          next.list = [calls++ % 6];
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/Roll\(\): depends on something else than the state/);
  });

  it("has no initial state, or an action without an effect, is refused", async () => {
    expect(await messageOf(modelWith({ initial: [] }))).toMatch(/it has no initial state/);
    expect(await messageOf(modelWith({ actions: [{ name: "Nothing", parameters: [[]] } as never] }))).toMatch(
      /an action needs a name and an effect/,
    );
  });

  it("makes tables of other identities is told so", async () => {
    const model = modelWith({
      actions: [
        action("Shrink", [[]], (_, next) => {
          next.role = {} as PerServer<string>;
        }),
      ],
    });
    expect(await messageOf(model)).toMatch(/Shrink\(\): role must keep an entry for each of its identities/);
  });
});

it.each([0, 1_000_000, 1.5, "two"])("refuses %s servers", async (count) => {
  const exploration = explore(zabModel, { parameters: { servers: count } });
  await expect(exploration).rejects.toThrow(/zab: servers is .*/);
});

it("refuses workers that a machine should not be asked for", async () => {
  await expect(explore(dieHard, { workers: 0 })).rejects.toThrow(/0 workers/);
  await expect(explore(dieHard, { workers: 100_000 })).rejects.toThrow(/100000 workers/);
});

it("answers unknown when the memory is used up, with what was covered", async () => {
  const result = await explore(zabModel, { memoryBytesMax: 2 ** 26 + 4_000_000 });
  expect(result.ending).toBe("memory");
  expect(result.distinct).toBeGreaterThan(1000);
  expect(result.unexpanded).toBeGreaterThan(0);
  expect(new Set(result.verdicts.map(({ verdict }) => verdict))).toEqual(new Set(["unknown"]));
});

it("answers unknown when the time is up", async () => {
  const result = await explore(zabModel, { timeMs: 200 });
  expect(result.ending).toBe("time");
  expect(result.verdicts[0]?.verdict).toBe("unknown");
});

describe("a checkpoint", () => {
  const parameters = { servers: 2, timeouts: 1 };
  let folder = "";
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "zabcheck-resume-"));
    await explore(zabModel, { parameters, checkpoint: folder, depthMax: 8 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("of another model, other bounds or another version is refused", async () => {
    await expect(explore(dieHard, { resume: folder })).rejects.toThrow(
      /of another exploration: model differs/,
    );
    await expect(explore(zabModel, { parameters: { servers: 3 }, resume: folder })).rejects.toThrow(
      /parameters differs/,
    );
    await expect(explore(zabModel, { parameters, symmetry: true, resume: folder })).rejects.toThrow(
      /symmetry differs/,
    );
    const path = join(folder, "checkpoint.json");
    const header = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...header, formatVersion: 99 }));
    await expect(explore(zabModel, { parameters, resume: folder })).rejects.toThrow(
      /a checkpoint of format 99/,
    );
    writeFileSync(path, JSON.stringify(header).replace('"engine":"', '"engine":"0'));
    await expect(explore(zabModel, { parameters, resume: folder })).rejects.toThrow(/engine differs/);
  });

  it("that is damaged or missing is refused", async () => {
    const path = join(folder, "checkpoint.json");
    const { folder: level } = JSON.parse(readFileSync(path, "utf8")) as { folder: string };
    writeFileSync(join(folder, level, "visited"), "short");
    await expect(explore(zabModel, { parameters, resume: folder })).rejects.toThrow(/visited: has 5 bytes/);
    writeFileSync(path, "{");
    await expect(explore(zabModel, { parameters, resume: folder })).rejects.toThrow(/no checkpoint/);
    await expect(explore(zabModel, { parameters, resume: join(folder, "none") })).rejects.toThrow(
      /no checkpoint/,
    );
  });
});
