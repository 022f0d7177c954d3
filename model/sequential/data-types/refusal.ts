import type { Json } from "../../history.ts";
import type { Call } from "../specification.ts";

/** The refusal of a call whose name is none of these, or whose answer or argument has not the form its name asks for. */
export function refusal(call: Call, names: readonly string[]): string | undefined {
  if (!names.includes(call.f))
    return `there is no operation ${JSON.stringify(call.f)}, only ${names.join(", ")}`;
  const form = forms[call.f];
  return form === undefined ? undefined : form(call);
}

const aPair = (value: Json): boolean => Array.isArray(value) && value.length === 2;

const forms: { readonly [f: string]: (call: Call) => string | undefined } = {
  // Jepsen's independent keys make [key, nil] of a read: such a history is many registers.
  read: (call) =>
    Array.isArray(call.argument)
      ? `read takes no argument, not ${JSON.stringify(call.argument)}; is this a history of several keys?`
      : undefined,
  cas: (call) =>
    aPair(call.argument) ? undefined : `cas needs [old, new], not ${JSON.stringify(call.argument)}`,
  contains: (call) =>
    call.result === undefined || typeof call.result === "boolean"
      ? undefined
      : `contains answers true or false, not ${JSON.stringify(call.result)}`,
};

/** For `read` of collections. */
export function refuseNoList(call: Call): string | undefined {
  if (call.f !== "read" || call.result === undefined || Array.isArray(call.result)) return undefined;
  return `read answers the list of all elements, not ${JSON.stringify(call.result)}`;
}
