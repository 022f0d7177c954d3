import {
  type Event,
  InputError,
  type Json,
  type Operation,
  pairOperations,
  specificationNamed,
} from "../../model/index.ts";
import { linearizable } from "../linearizability/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

/**
 * A queue: `enqueue v`, `dequeue` -> v or null. Nothing comes out more often than it had been put in, nothing
 * acknowledged is lost once the queue was found empty with nobody else under way; and the order is a queue's, by the
 * linearizability checker. O(n log n) where the elements are distinct.
 */
export function checkQueue(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("queue-elements");
  const operations = pairOperations(events).filter(
    ({ f, completion }) => (f === "enqueue" || f === "dequeue") && completion?.type !== "fail",
  );
  const elements = elementsOf(operations);
  for (const element of elements.values()) checkElement(element, promise);
  checkLost(operations, elements, promise);
  const order = linearizable(events.filter(isOf(operations)), specificationNamed("queue"));
  return [
    promise.verdict("each element comes out once, and none is lost", "elements"),
    { ...order, name: "queue-order", detail: order.detail },
  ];
}

/** What was done with elements of one value. */
interface Element {
  readonly name: string;
  /** In the order of their calls. */
  readonly put: Operation[];
  /** In the order of their answers. */
  readonly taken: Operation[];
}

function elementsOf(operations: readonly Operation[]): ReadonlyMap<string, Element> {
  const elements = new Map<string, Element>();
  const of = (value: Json): Element => {
    const name = JSON.stringify(value);
    let element = elements.get(name);
    if (element === undefined) elements.set(name, (element = { name, put: [], taken: [] }));
    return element;
  };
  for (const operation of operations) {
    const { f, invocation, completion } = operation;
    if (f === "enqueue") of(invocation.value).put.push(operation);
    else if (completion?.type === "ok" && completion.value !== null)
      of(completion.value).taken.push(operation);
  }
  for (const { taken } of elements.values()) taken.sort((a, b) => indexOf(a) - indexOf(b));
  return elements;
}

/** The k-th of equal elements comes out after the k-th was put in at the earliest. */
function checkElement({ name, put, taken }: Element, promise: PromiseCheck): void {
  promise.checked(taken.length);
  for (const [at, operation] of taken.entries()) {
    const source = put[at];
    if (source !== undefined && source.invocation.index < indexOf(operation)) continue;
    const before = taken[at - 1];
    const what = before === undefined ? "and had not been put in" : "more often than it had been put in";
    promise.broken(`${name} came out of the queue ${what}`, operation.completion as Event, [
      operation.invocation,
      before?.invocation,
      before?.completion,
    ]);
  }
}

/** At the last dequeue that found the queue empty, every element put in before it began must be out or being taken out. */
function checkLost(
  operations: readonly Operation[],
  elements: ReadonlyMap<string, Element>,
  promise: PromiseCheck,
): void {
  const empty = operations.findLast(
    ({ f, completion }) => f === "dequeue" && completion?.type === "ok" && completion.value === null,
  );
  const unanswered = operations.some(({ f, completion }) => f === "dequeue" && completion?.type !== "ok");
  if (empty?.completion === undefined || unanswered) return;
  for (const { name, put, taken } of elements.values()) {
    const certain = put.filter(
      ({ completion }) => completion?.type === "ok" && completion.index < empty.invocation.index,
    );
    const lost = certain[taken.length];
    if (lost === undefined) continue;
    const what = `${name} was put in (event ${indexOf(lost)}) and never came out`;
    promise.broken(`${what}, and the queue was found empty`, empty.completion, [
      lost.completion,
      empty.invocation,
    ]);
  }
}

function isOf(operations: readonly Operation[]): (event: Event) => boolean {
  const events = new Set(operations.flatMap(({ invocation, completion }) => [invocation, completion]));
  return (event) => events.has(event);
}

/**
 * A source of unique ids: `generate` -> id. No id is given twice; with `increasing`, an id asked for after another was
 * given is the greater one (ids are numbers, or text with a number at its end). Throws InputError for ids that are none
 * of these where their order is asked for. O(n log n).
 */
export function checkUniqueIds(
  events: readonly Event[],
  options: { readonly increasing?: boolean } = {},
): Verdict[] {
  const unique = new PromiseCheck("unique-ids");
  const increasing = new PromiseCheck("increasing-ids");
  const given = new Map<string, Operation>();
  const answered = pairOperations(events).filter(
    ({ f, completion }) => f === "generate" && completion?.type === "ok",
  );
  for (const operation of answered) {
    const completion = operation.completion as Event;
    const id = JSON.stringify(completion.value);
    unique.checked();
    const other = given.get(id);
    if (other !== undefined) {
      unique.broken(`${id} was given twice`, completion, [
        operation.invocation,
        other.invocation,
        other.completion,
      ]);
    }
    given.set(id, operation);
  }
  if (options.increasing === true) checkIncreasing(answered, increasing);
  const verdicts = [unique.verdict("no id is given twice", "ids")];
  if (options.increasing === true) verdicts.push(increasing.verdict("later ids are greater", "ids"));
  return verdicts;
}

function checkIncreasing(operations: readonly Operation[], promise: PromiseCheck): void {
  const done = operations.toSorted((a, b) => indexOf(a) - indexOf(b));
  let greatest: { readonly number: bigint; readonly operation: Operation } | undefined;
  let next = 0;
  for (const operation of operations) {
    for (; next < done.length && indexOf(done[next] as Operation) < operation.invocation.index; next++) {
      const other = done[next] as Operation;
      const number = numberOf(other);
      if (greatest === undefined || number > greatest.number) greatest = { number, operation: other };
    }
    promise.checked();
    const number = numberOf(operation);
    if (greatest === undefined || number > greatest.number) continue;
    const other = greatest.operation.completion;
    promise.broken(`${number} was given after ${greatest.number}`, operation.completion as Event, [
      operation.invocation,
      other,
    ]);
  }
}

function indexOf(operation: Operation): number {
  return operation.completion?.index ?? Infinity;
}

function numberOf({ completion }: Operation): bigint {
  const value = completion?.value ?? null;
  const digits = /^-?\d+$|\d+$/.exec(typeof value === "string" ? value : JSON.stringify(value))?.[0];
  if (digits !== undefined && (typeof value === "string" || Number.isSafeInteger(value)))
    return BigInt(digits);
  throw new InputError(
    `event ${completion?.index ?? 0}: the id ${JSON.stringify(value)} has no order; expected an integer, or text with one at its end`,
    "Judge without asking for increasing ids.",
  );
}
