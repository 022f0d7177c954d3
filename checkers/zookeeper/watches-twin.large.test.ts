import { expect, test } from "vitest";
import { plan } from "./watched-histories.for-tests.ts";
import { compareMany, neverBlames, neverBlamesLosses } from "./watches-comparison.for-tests.ts";

/** 300,000 random histories; in parts, so that each says how far it got. */
test.each(Array.from({ length: 10 }, (_, part) => part))(
  "watches are judged as by trying every way, on 30,000 histories, part %i",
  { timeout: 1_200_000 },
  () => {
    expect(compareMany(plan, 30_000).size).toBeGreaterThan(10);
  },
);

test("nobody is blamed where ephemeral nodes may have gone at any time, on 50,000 histories", () => {
  expect(neverBlames(50_000)).toBeGreaterThan(5000);
});

test("nobody is blamed whichever answers are lost, on 100,000 histories", { timeout: 600_000 }, () => {
  expect(neverBlamesLosses(100_000)).toBeGreaterThan(20_000);
});
