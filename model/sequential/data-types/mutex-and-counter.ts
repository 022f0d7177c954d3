import type { Call, SequentialSpecification } from "../specification.ts";
import { refusal } from "./refusal.ts";

/** A mutex without owners, as Knossos has it: `acquire` needs it free, `release` needs it held. */
export function mutex(): SequentialSpecification<boolean> {
  return {
    name: "mutex",
    refuse: (call) => refusal(call, ["acquire", "release"]),
    initial: false,
    key: (held) => (held ? "held" : "free"),
    step: (held, call) => {
      if (call.f === "acquire") return !held ? [true] : call.result === undefined ? [held] : [];
      if (call.f === "release") return held ? [false] : call.result === undefined ? [held] : [];
      return [];
    },
    describeState: (held) => (held ? "held" : "free"),
  };
}

/** A counter: `add n` (n may be negative), `read` -> the sum. */
export function counter(initial: number = 0): SequentialSpecification<number> {
  return {
    name: "counter",
    refuse: (call) => refusal(call, ["add", "read"]) ?? refuseNoNumber(call),
    initial,
    key: String,
    step: (sum, call) => {
      if (call.f === "add" && typeof call.argument === "number") return [sum + call.argument];
      return call.f === "read" && (call.result === undefined || call.result === sum) ? [sum] : [];
    },
    readOnly: (call) => call.f === "read",
  };
}

function refuseNoNumber(call: Call): string | undefined {
  const value = call.f === "add" ? call.argument : call.result;
  return value === undefined || typeof value === "number"
    ? undefined
    : `${call.f} needs a number, not ${JSON.stringify(value)}`;
}
