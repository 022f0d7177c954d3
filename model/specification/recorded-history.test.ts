import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clients, servers, type Identity } from "./identity.ts";
import { complete, eventsOf, invoke, type RecordedHistory } from "./recorded-history.ts";
import { canonical, permute, type Value } from "./value.ts";

const all = clients(3, { symmetric: true }).members;
const [one, two] = all as readonly [(typeof all)[number], (typeof all)[number]];
const [server] = servers(1, { symmetric: false }).members;

/** What real time tells of a history: which operation ended before which began. */
function precedence(events: ReturnType<typeof eventsOf>): readonly string[] {
  const counts = new Map<number | string, number>();
  const ended: string[] = [];
  const told: string[] = [];
  for (const { process, type } of events) {
    const n = (counts.get(process) ?? 0) + (type === "invoke" ? 1 : 0);
    counts.set(process, n);
    const name = `${process}.${n}`;
    if (type === "invoke") told.push(...ended.map((other) => `${other} < ${name}`));
    else ended.push(name);
  }
  return told.toSorted();
}

/** Each choice names a client, which begins an operation or ends the one that it has begun. */
const choices = fc.array(fc.nat(all.length - 1), { maxLength: 14 });

function recorded(list: readonly number[]): {
  history: RecordedHistory;
  plain: { process: number; type: "invoke" | "ok" }[];
} {
  const open = new Set<number>();
  const plain: { process: number; type: "invoke" | "ok" }[] = [];
  let history: RecordedHistory = [];
  for (const [place, choice] of list.entries()) {
    const client = all[choice] as (typeof all)[number];
    const isOpen = open.delete(choice);
    if (!isOpen) open.add(choice);
    history = isOpen ? complete(history, client, "ok", place) : invoke(history, client, "write", place);
    plain.push({ process: choice + 1, type: isOpen ? "ok" : "invoke" });
  }
  return { history, plain };
}

describe("a recorded history", () => {
  it("becomes events with numbers for clients, sessions and names for servers", () => {
    const begun = invoke([], two, "getData", { path: "/x" });
    const whole = complete(
      begun,
      two,
      "ok",
      { path: "/x", data: "a" },
      { zxid: 3, session: two, server: server! },
    );
    expect(eventsOf(whole)).toEqual([
      { index: 0, time: 0, process: 2, type: "invoke", f: "getData", value: { path: "/x" } },
      {
        index: 1,
        time: 1,
        process: 2,
        type: "ok",
        f: "getData",
        value: { path: "/x", data: "a" },
        zxid: 3,
        session: "0x2",
        server: "s1",
      },
    ]);
  });

  it("keeps what real time tells", () => {
    fc.assert(
      fc.property(choices, (list) => {
        const { history, plain } = recorded(list);
        const events = eventsOf(history);
        const before = plain.map((event, index) => ({
          ...event,
          index,
          time: index,
          f: "write",
          value: null,
        }));
        expect(precedence(events)).toEqual(precedence(before));
        expect(events.length).toBe(list.length);
      }),
    );
  });

  it("is the same for two orders that real time does not tell apart, and for no others", () => {
    const begin = (first: typeof one, second: typeof one): RecordedHistory =>
      invoke(invoke([], first, "read"), second, "read");
    expect(canonical(begin(one, two) as Value)).toBe(canonical(begin(two, one) as Value));
    const end = (first: typeof one, second: typeof one): RecordedHistory =>
      complete(complete(begin(one, two), first, "ok", 1), second, "ok", 1);
    expect(canonical(end(one, two) as Value)).toBe(canonical(end(two, one) as Value));
    const apart = complete(
      invoke(complete(invoke([], one, "read"), one, "ok", 1), two, "read"),
      two,
      "ok",
      1,
    );
    expect(canonical(apart as Value)).not.toBe(canonical(end(one, two) as Value));
  });

  it("follows its clients when they are renamed", () => {
    const swapped = new Map<Identity, Identity>([
      [one, two],
      [two, one],
    ]);
    const history = complete(invoke([], one, "write", "<c1>.1"), one, "ok", "<c1>.1", { session: one });
    const image = permute(history as Value, swapped) as RecordedHistory;
    expect(eventsOf(image)).toMatchObject([
      { process: 2, value: "<c2>.1" },
      { process: 2, value: "<c2>.1", session: "0x2" },
    ]);
  });

  it("refuses a completion of nothing", () => {
    expect(() => complete([], one, "ok")).toThrow("process 1 completes nothing");
    const done = complete(invoke([], one, "read"), one, "ok");
    expect(() => complete(done, one, "ok")).toThrow("completes nothing");
  });
});
