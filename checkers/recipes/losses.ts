import type { Event, Json } from "../../model/index.ts";
import { firstAtLeast } from "../ascending.ts";

/** When a process has lost what it held, in the order of the history. */
export interface Losses {
  readonly events: Event[];
  readonly indexes: number[];
}

/** A process without a number that tells of others. */
const teller = "losses";

/**
 * Losses by process and by session: `info` events with f `lost`, of the process itself where it has a name, else of the
 * process "losses" with value {process}; or of whatever process, with the session as evidence. A session that has
 * expired takes with it all that its process held.
 */
export function lossesOf(events: readonly Event[]): ReadonlyMap<number | string, Losses> {
  const losses = new Map<number | string, Losses>();
  for (const event of events) {
    if (event.f !== "lost") continue;
    const process = event.process === teller ? processOf(event.value) : event.process;
    for (const owner of [process, event.session]) {
      if (owner === undefined) continue;
      const own = losses.get(owner);
      if (own === undefined) losses.set(owner, { events: [event], indexes: [event.index] });
      else {
        own.events.push(event);
        own.indexes.push(event.index);
      }
    }
  }
  return losses;
}

/** The first loss after an event, in O(log n). */
export function lossAfter(losses: Losses | undefined, index: number): Event | undefined {
  return losses?.events[firstAtLeast(losses.indexes, index + 1)];
}

function processOf(value: Json): number | string | undefined {
  const process = (value as { readonly process?: Json } | null)?.process;
  return typeof process === "number" || typeof process === "string" ? process : undefined;
}
