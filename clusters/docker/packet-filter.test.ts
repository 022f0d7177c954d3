import fc from "fast-check";
import { expect, test } from "vitest";
import { filterOf, tableOf } from "./packet-filter.ts";

const addressOf = (server: string): string => `10.0.0.${Number(server.slice("server-".length)) + 1}`;

test("a cut drops the sender's packets at the receiver, and only there", () => {
  const cuts = [["server-1", "server-2"]] as const;
  expect(filterOf("server-2", cuts, addressOf).dropFrom).toEqual(["10.0.0.2"]);
  expect(filterOf("server-1", cuts, addressOf).dropFrom).toEqual([]);
  expect(filterOf("server-3", cuts, addressOf).dropFrom).toEqual([]);
});

test("the table replaces the whole filter", () => {
  expect(tableOf({ dropFrom: ["10.0.0.2", "10.0.0.4"] }).split("\n")).toEqual([
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    "-A INPUT -s 10.0.0.2/32 -j DROP",
    "-A INPUT -s 10.0.0.4/32 -j DROP",
    "COMMIT",
    "",
  ]);
});

test("any set of cuts, however often and in whatever order, drops what it says and nothing else", () => {
  const servers = ["server-1", "server-2", "server-3", "server-4", "server-5"];
  const pair = fc.tuple(fc.constantFrom(...servers), fc.constantFrom(...servers));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 40 }), (cuts) => {
      for (const to of servers) {
        const { dropFrom } = filterOf(to, cuts, addressOf);
        for (const from of servers) {
          const isCut = cuts.some(([sender, receiver]) => sender === from && receiver === to);
          expect(dropFrom.filter((address) => address === addressOf(from))).toHaveLength(isCut ? 1 : 0);
        }
      }
    }),
  );
});
