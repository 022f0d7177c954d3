import fc from "fast-check";
import { expect, test } from "vitest";
import type { Fault, Link } from "../fault.ts";
import { filterOf, openFilter, tableOf } from "./packet-filter.ts";

const addressOf = (server: string): string => `10.0.0.${Number(server.slice("server-".length)) + 1}`;
const link: Link = ["server-1", "server-2"];

test("a cut drops the sender's packets at the receiver, and only there", () => {
  const cut: Fault = { kind: "partition", cuts: [link] };
  expect(filterOf("server-2", [cut], addressOf)).toEqual({ ...openFilter, dropFrom: ["10.0.0.2"] });
  expect(filterOf("server-1", [cut], addressOf)).toEqual(openFilter);
  expect(filterOf("server-3", [cut], addressOf)).toEqual(openFilter);
});

test("resets and losses act where packets arrive, delays where they are sent", () => {
  const reset: Fault = { kind: "reset", links: [link] };
  const loss: Fault = { kind: "loss", links: [link], share: 0.25 };
  const delay: Fault = { kind: "delay", links: [link], delayMs: [1, 2] };
  const loseFrom = [{ address: "10.0.0.2", share: 0.25 }];
  expect(filterOf("server-2", [reset, loss, delay], addressOf)).toEqual({
    ...openFilter,
    resetFrom: ["10.0.0.2"],
    loseFrom,
  });
  expect(filterOf("server-1", [reset, loss, delay], addressOf)).toEqual({
    ...openFilter,
    slowTo: ["10.0.0.3"],
  });
});

test("of two losses on one link, what passes the first is left to the second", () => {
  const half: Fault = { kind: "loss", links: [link], share: 0.5 };
  expect(filterOf("server-2", [half, half], addressOf).loseFrom).toEqual([
    { address: "10.0.0.2", share: 0.75 },
  ]);
});

test("the table replaces the whole filter", () => {
  const filter = {
    dropFrom: ["10.0.0.2"],
    resetFrom: ["10.0.0.3"],
    loseFrom: [{ address: "10.0.0.4", share: 0.3 }],
    slowTo: [],
  };
  expect(tableOf(filter).split("\n")).toEqual([
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    "-A INPUT -s 10.0.0.2/32 -j DROP",
    "-A INPUT -s 10.0.0.3/32 -p tcp -m tcp ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset",
    "-A INPUT -s 10.0.0.4/32 -m statistic --mode random --probability 0.300000 -j DROP",
    "COMMIT",
    "",
  ]);
});

test("the table of marks is there where links can be slow, also when none is", () => {
  expect(tableOf(openFilter)).not.toContain("mangle");
  expect(tableOf(openFilter, true)).toContain("*mangle");
  expect(tableOf({ ...openFilter, slowTo: ["10.0.0.2"] })).toContain(
    "-A OUTPUT -d 10.0.0.2/32 -m mark ! --mark 0x7b -j MARK --set-mark 0x7a",
  );
});

test("any set of cuts, however often and in whatever order, drops what it says and nothing else", () => {
  const servers = ["server-1", "server-2", "server-3", "server-4", "server-5"];
  const pair = fc.tuple(fc.constantFrom(...servers), fc.constantFrom(...servers));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (cuts, faults) => {
      const inForce = Array.from({ length: faults }, (_, i): Fault => ({
        kind: "partition",
        cuts: cuts.filter((_cut, at) => at % faults === i),
      }));
      for (const to of servers) {
        const { dropFrom } = filterOf(to, inForce, addressOf);
        for (const from of servers) {
          const isCut = cuts.some(([sender, receiver]) => sender === from && receiver === to);
          expect(dropFrom.filter((address) => address === addressOf(from))).toHaveLength(isCut ? 1 : 0);
        }
      }
    }),
  );
});
