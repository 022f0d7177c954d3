import {
  type Event,
  type Json,
  type Operation,
  pairOperations,
  specificationNamed,
} from "../../model/index.ts";
import { linearizable } from "../linearizability/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

/**
 * A queue of distinct elements: `enqueue v`, `dequeue` -> v or null. Nothing comes out that was not put in, nothing
 * comes out twice, nothing acknowledged is lost once the queue was found empty with nobody else under way; and the
 * order is a queue's, by the linearizability checker.
 */
export function checkQueue(events: readonly Event[]): Verdict[] {
  const promise = new PromiseCheck("queue-elements");
  const operations = pairOperations(events).filter(({ f }) => f === "enqueue" || f === "dequeue");
  const put = new Map<string, Operation>();
  const taken = new Map<string, Operation>();
  for (const operation of operations) {
    if (operation.f === "enqueue" && operation.completion?.type !== "fail") {
      put.set(JSON.stringify(operation.invocation.value), operation);
    }
  }
  for (const operation of operations) {
    const { completion, invocation } = operation;
    if (operation.f !== "dequeue" || completion?.type !== "ok" || completion.value === null) continue;
    promise.checked();
    const element = JSON.stringify(completion.value);
    const source = put.get(element);
    const before = taken.get(element);
    if (source === undefined || source.invocation.index > completion.index) {
      promise.broken(`${element} came out of the queue and had not been put in`, completion, [invocation]);
    } else if (before !== undefined) {
      const other = before.completion;
      promise.broken(`${element} came out of the queue twice`, completion, [
        invocation,
        before.invocation,
        other,
      ]);
    }
    taken.set(element, operation);
  }
  checkLost(operations, put, taken, promise);
  const order = linearizable(events.filter(isOf(operations)), specificationNamed("queue"));
  return [
    promise.verdict("each element comes out once, and none is lost", "elements"),
    { ...order, name: "queue-order", detail: order.detail },
  ];
}

/** At the last dequeue that found the queue empty, every element put in before it began must be out or being taken out. */
function checkLost(
  operations: readonly Operation[],
  put: ReadonlyMap<string, Operation>,
  taken: ReadonlyMap<string, Operation>,
  promise: PromiseCheck,
): void {
  const empty = operations.findLast(
    ({ f, completion }) => f === "dequeue" && completion?.type === "ok" && completion.value === null,
  );
  const unanswered = operations.some(({ f, completion }) => f === "dequeue" && completion?.type !== "ok");
  if (empty?.completion === undefined || unanswered) return;
  for (const [element, { completion }] of put) {
    if (completion?.type !== "ok" || completion.index > empty.invocation.index || taken.has(element))
      continue;
    const what = `${element} was put in (event ${completion.index}) and never came out`;
    promise.broken(`${what}, and the queue was found empty`, empty.completion, [
      completion,
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
 * given is the greater one (ids are numbers, or text with a number at its end).
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
  let greatest: { readonly number: number; readonly operation: Operation } | undefined;
  let next = 0;
  for (const operation of operations) {
    for (; next < done.length && indexOf(done[next] as Operation) < operation.invocation.index; next++) {
      const other = done[next] as Operation;
      const number = numberOf(other.completion?.value ?? null);
      if (greatest === undefined || number > greatest.number) greatest = { number, operation: other };
    }
    promise.checked();
    const number = numberOf(operation.completion?.value ?? null);
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

function numberOf(value: Json): number {
  return typeof value === "number" ? value : Number(/\d+$/.exec(String(value))?.[0] ?? Number.NaN);
}
