import { expect, it } from "vitest";
import { judgeState, stateKey, successors, type Model, type Now, type Zab } from "../../model/index.ts";
import { oneSidedZab } from "./one-sided-zab.ts";

// What the embedded ensemble is compared with is not quite the published model: so its own invariants are explored.
it("Zab keeps its invariants when each end of a connection fails for itself", { timeout: 1_800_000 }, () => {
  const zab = oneSidedZab.build({ servers: 2, transactions: 1, failures: 3, epochs: 3 }) as Model<Zab>;
  const seen = new Set<string>(zab.initial.map((state) => stateKey(state, ["pc"])));
  const broken = new Set<string>();
  let frontier: readonly Zab[] = zab.initial;
  while (frontier.length > 0 && broken.size === 0) {
    const next: Zab[] = [];
    for (const { state } of frontier.flatMap((each) => successors(zab, each))) {
      const key = stateKey(state, ["pc"]);
      if (seen.has(key) || zab.constraint?.(state as Now<Zab>) === false) continue;
      seen.add(key);
      next.push(state);
      for (const invariant of zab.invariants ?? [])
        if (judgeState(invariant, state as Now<Zab>) === false) broken.add(invariant.name);
    }
    frontier = next;
  }
  expect([...broken]).toEqual([]);
  expect(seen.size).toBeGreaterThan(5_000);
});
