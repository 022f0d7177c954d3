import { casRegister, type Event, type Json } from "../../../model/light.ts";
import type { RandomType, SimulatedType } from "../random-histories.ts";

/** A register of few values that works; an exchange that finds another value fails. */
export function working(values: number, hasExchanges: boolean): SimulatedType {
  return {
    specification: casRegister(),
    invoke: (draw) =>
      [
        { f: "read", value: null },
        { f: "write", value: draw(values) },
        { f: "cas", value: [draw(values), draw(values)] },
      ][draw(hasExchanges ? 3 : 2)] as { f: string; value: Json },
    answers: ({ f, value }) =>
      f === "read"
        ? [null, ...Array.from({ length: values }, (_, i) => i)]
        : f === "cas"
          ? [value, false]
          : [value],
  };
}

/** A cas that found another value, as Jepsen tells it: it has failed. */
export const mismatchesFail = (events: readonly Event[]): Event[] =>
  events.map((event) =>
    event.type === "ok" && event.f === "cas" && event.value === false ? { ...event, type: "fail" } : event,
  );

/** Values of which few are needed to find a way back, and many exchanges of which nobody knows. */
export const chains = (values: number): RandomType => ({
  invoke: (draw) => {
    const kind = draw(20);
    if (kind < 9) return { f: "cas", value: [draw(values), draw(values)] };
    return kind < 14 ? { f: "read", value: null } : { f: "write", value: draw(values) };
  },
  answer: (draw, f, value) => (f === "read" ? draw(values) : value),
});
