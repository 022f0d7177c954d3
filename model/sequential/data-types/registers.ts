import type { Json } from "../../history.ts";
import type { Call, SequentialSpecification } from "../specification.ts";
import { refusal } from "./refusal.ts";

/** A register: `write v`, `read` -> v. Values are compared as JSON. */
export function register(initial: Json = null): SequentialSpecification<Json> {
  return {
    ...casRegister(initial),
    name: "register",
    dataType: "register",
    refuse: (call) => refusal(call, ["read", "write"]),
  };
}

/**
 * A register with compare-and-set: `write v`, `read` -> v, `cas [old, new]`; a cas answered `false` found another
 * value than `old`, any other answer means that it was exchanged.
 */
export function casRegister(initial: Json = null): SequentialSpecification<Json> {
  return {
    name: "cas-register",
    dataType: "cas-register",
    refuse: (call) => refusal(call, ["read", "write", "cas"]),
    initial,
    key: textOf,
    step: (state, call) => stepOf(state, call),
    readOnly: (call) => call.f === "read" || (call.f === "cas" && call.result === false),
    effect: (call) => (call.f === "write" ? "overwrites" : undefined),
    restrictedTo: (calls) => observedOnly(initial, calls),
    describeState: textOf,
    describeCall,
  };
}

function textOf(value: Json): string {
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  return typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b);
}

function stepOf(state: Json, call: Call): readonly Json[] {
  if (call.f === "read") return call.result === undefined || same(state, call.result) ? [state] : [];
  if (call.f === "write") return [call.argument];
  if (call.f !== "cas" || !Array.isArray(call.argument)) return [];
  const [old, exchanged] = call.argument as readonly Json[];
  const matches = same(state, old);
  if (call.result === undefined) return [matches ? (exchanged as Json) : state];
  return matches === (call.result !== false) ? [matches ? (exchanged as Json) : state] : [];
}

/** Values that no answered read and no cas asks for are one: `unobserved`. */
function observedOnly(initial: Json, calls: readonly Call[]): SequentialSpecification<unknown> {
  const unobserved = "";
  const observed = new Set<string>();
  let mismatches = false;
  for (const call of calls) {
    if (call.f === "read" && call.result !== undefined) observed.add(textOf(call.result));
    if (call.f !== "cas") continue;
    observed.add(textOf((call.argument as readonly Json[])[0] as Json));
    mismatches ||= call.result === false;
  }
  const valueOf = (value: Json): string => {
    const text = textOf(value);
    return observed.has(text) ? text : unobserved;
  };
  // A state that answers reads can do all that `unobserved` can, unless a cas asks for a mismatch.
  const helps = (call: Call, state: string): boolean =>
    call.result !== undefined || state !== unobserved || mismatches;
  const specification: SequentialSpecification<string> = {
    name: "register",
    initial: valueOf(initial),
    key: (state) => state,
    step: (state, call) => {
      if (call.f === "read") return call.result === undefined || state === textOf(call.result) ? [state] : [];
      if (call.f === "write") {
        const written = valueOf(call.argument);
        return helps(call, written) ? [written] : [];
      }
      const [old, exchanged] = call.argument as readonly Json[];
      const matches = state === textOf(old as Json);
      if (call.result !== undefined && matches !== (call.result !== false)) return [];
      if (!matches) return [state];
      const written = valueOf(exchanged as Json);
      return helps(call, written) ? [written] : [];
    },
  };
  return specification as SequentialSpecification<unknown>;
}

function describeCall(call: Call): string {
  if (call.f === "read") return `read -> ${call.result === undefined ? "?" : textOf(call.result)}`;
  const outcome = call.result === undefined ? " -> ?" : call.result === false ? " -> no match" : "";
  if (call.f !== "cas") return `${call.f} ${textOf(call.argument)}${outcome}`;
  const [old, exchanged] = call.argument as readonly Json[];
  return `cas ${textOf(old as Json)} -> ${textOf(exchanged as Json)}${outcome}`;
}
