import { nameOf, type Model } from "../../model/index.ts";
import { decodeValue, type EncodedValue } from "./codec.ts";
import type { Change, Counterexample, CounterexampleStep } from "./counterexample.ts";

/** A message from the step that sent it to the step that received it. Steps are numbered from 1; 0 is the initial state. */
export interface MessageArrow {
  readonly from: string;
  readonly to: string;
  readonly sent: number;
  /** The step that took it; null while it is under way at the end. */
  readonly taken: number | null;
  /** It was not received but lost: cut off, or cleaned away by a fault. */
  readonly lost: boolean;
  readonly text: string;
}

/** A counterexample as a space-time diagram (Lamport 1978): a lane for each actor, messages between them. */
export interface SpaceTime {
  readonly lanes: readonly string[];
  readonly arrows: readonly MessageArrow[];
}

interface UnderWay {
  readonly sent: number;
  readonly text: string;
}

/** Finds lanes and messages of a counterexample: what is appended to a channel is sent, what its head loses is taken. */
export function spaceTimeOf(model: Model<unknown>, counterexample: Counterexample): SpaceTime {
  const channel = model.presentation?.channel;
  const arrows: MessageArrow[] = [];
  const underWay = new Map<string, UnderWay[]>();
  const tell = (message: EncodedValue): string =>
    model.presentation?.message?.(decodeValue(message)) ?? JSON.stringify(message);
  for (const [entry, messages] of initialChannels(counterexample.initial, channel)) {
    underWay.set(
      entry,
      messages.map((message) => ({ sent: 0, text: tell(message) })),
    );
  }
  for (const [index, step] of counterexample.steps.entries()) {
    for (const change of step.changes) {
      const ends = endsOf(change.entry, channel);
      if (ends === undefined || !Array.isArray(change.before) || !Array.isArray(change.after)) continue;
      const queue = underWay.get(change.entry) ?? [];
      const removed = removedCount(change);
      for (const { sent, text } of queue.splice(0, removed)) {
        arrows.push({ ...ends, sent, taken: index + 1, lost: isLost(step, ends.to, removed), text });
      }
      const kept = (change.before as EncodedValue[]).length - removed;
      for (const message of (change.after as EncodedValue[]).slice(kept))
        queue.push({ sent: index + 1, text: tell(message) });
      underWay.set(change.entry, queue);
    }
  }
  for (const [entry, queue] of underWay) {
    const ends = endsOf(entry, channel);
    if (ends === undefined) continue;
    for (const { sent, text } of queue) arrows.push({ ...ends, sent, taken: null, lost: false, text });
  }
  return { lanes: lanesOf(model, counterexample, arrows), arrows };
}

/** How many messages the head of a channel lost: the fewest that explain the rest. */
function removedCount({ before, after }: Change): number {
  const olds = (before as EncodedValue[]).map((message) => JSON.stringify(message));
  const news = (after as EncodedValue[]).map((message) => JSON.stringify(message));
  for (let removed = 0; removed < olds.length; removed++) {
    if (olds.slice(removed).every((message, i) => news[i] === message)) return removed;
  }
  return olds.length;
}

function isLost(step: CounterexampleStep, to: string, removed: number): boolean {
  return step.fault || step.actor !== to || removed > 1;
}

function endsOf(entry: string, channel: string | undefined): { from: string; to: string } | undefined {
  const [, name, from, to] = /^(\w+)\[([^\]]+)\]\[([^\]]+)\]$/.exec(entry) ?? [];
  return name !== undefined && name === channel && from !== undefined && to !== undefined
    ? { from, to }
    : undefined;
}

function initialChannels(initial: EncodedValue, channel: string | undefined): [string, EncodedValue[]][] {
  if (channel === undefined) return [];
  const outer = (
    initial as { readonly [name: string]: { readonly "#map"?: readonly [EncodedValue, EncodedValue][] } }
  )[channel];
  const id = (key: EncodedValue): string => String((key as { readonly "#id": string })["#id"]);
  return (outer?.["#map"] ?? []).flatMap(([from, row]) =>
    ((row as { readonly "#map"?: readonly [EncodedValue, EncodedValue][] })["#map"] ?? []).flatMap(
      ([to, messages]) =>
        Array.isArray(messages)
          ? [[`${channel}[${id(from)}][${id(to)}]`, messages] as [string, EncodedValue[]]]
          : [],
    ),
  );
}

function lanesOf(
  model: Model<unknown>,
  { steps }: Counterexample,
  arrows: readonly MessageArrow[],
): string[] {
  const used = new Set<string>([
    ...steps.flatMap(({ actor }) => (actor === null ? [] : [actor])),
    ...arrows.flatMap(({ from, to }) => [from, to]),
  ]);
  const known = model.identities.flatMap(({ members }) => members.map(nameOf));
  const ordered = [
    ...known.filter((name) => used.has(name)),
    ...[...used].filter((name) => !known.includes(name)),
  ];
  return steps.some(({ actor }) => actor === null) ? [...ordered, ""] : ordered;
}
