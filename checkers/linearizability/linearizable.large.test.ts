import { expect, test } from "vitest";
import { compareSpecialised, compareWithSlowTwin } from "./twin-comparison.ts";

/** 300,000 random histories against the slow twin; in parts, so that each says how far it got. */
test.each(Array.from({ length: 10 }, (_, part) => part))(
  "the search agrees with the slow twin on 20,000 histories, part %i",
  { timeout: 600_000 },
  (part) => {
    expect(compareWithSlowTwin(20_000, 7, "search", 10_000_000 + part * 20_000).mismatches).toEqual([]);
  },
);

test.each(Array.from({ length: 5 }, (_, part) => part))(
  "the specialised algorithms agree with the slow twin on 20,000 histories, part %i",
  { timeout: 600_000 },
  (part) => {
    expect(compareSpecialised(20_000, 8, 20_000_000 + part * 20_000).mismatches).toEqual([]);
  },
);
