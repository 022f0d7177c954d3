import { expect, test } from "vitest";
import { casRegister } from "../../../model/light.ts";
import { operationsOf } from "../operations.ts";
import { drawFrom, randomHistory, simulatedHistory } from "../random-histories.ts";
import { isLinearizableSlowly } from "../slow-twin.ts";
import { refuteOrder } from "../verify.ts";
import { registerByCompletions } from "./register-by-completions.ts";
import { chains, mismatchesFail, working } from "./registers.for-tests.ts";

test("it explains 200,000 histories of a register with unanswered exchanges", { timeout: 600_000 }, () => {
  let undecided = 0;
  for (let seed = 1; seed <= 200_000; seed++) {
    const draw = drawFrom(seed);
    const values = 2 + draw(3);
    const type = { ...working(values, true), invoke: chains(values).invoke };
    const shape = {
      processes: 2 + draw(5),
      operations: 5 + draw(10),
      unanswered: 10 + draw(25),
      failed: 0,
    };
    const operations = operationsOf(mismatchesFail(simulatedHistory(type, shape, 0, draw)));
    const decision = registerByCompletions.decide(operations, null);
    if (decision === undefined) undecided++;
    else expect(decision.verdict, `seed ${seed}`).toBe("holds");
    if (decision?.verdict !== "holds") continue;
    expect(refuteOrder(operations, decision.order, casRegister()), `seed ${seed}`).toBeUndefined();
  }
  expect(undecided).toBeLessThan(100);
});

test("it says what the slow twin says of 100,000 random histories", { timeout: 600_000 }, () => {
  for (let seed = 1; seed <= 100_000; seed++) {
    const draw = drawFrom(seed);
    const shape = {
      processes: 2 + draw(3),
      operations: 4 + draw(5),
      unanswered: 10 + draw(30),
      failed: 0,
    };
    const operations = operationsOf(randomHistory(chains(2 + draw(2)), shape, draw));
    const decision = registerByCompletions.decide(operations, null);
    if (decision === undefined) continue;
    const isPossible = isLinearizableSlowly(operations, casRegister());
    expect(decision.verdict, `seed ${seed}`).toBe(isPossible ? "holds" : "violated");
  }
});
