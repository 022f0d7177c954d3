import { HistoryLines } from "../../../model/index.ts";
import { readChunks } from "../../readers/read-file.ts";
import { tornWarnings } from "../../readers/zabcheck-jsonl.ts";
import { EventLines } from "./event-lines.ts";
import { FiledEvents } from "./filed-events.ts";
import { HistoryIntake } from "./intake.ts";
import type { ZookeeperHistory } from "./zookeeper-history.ts";

/** A history that was read without its events, which stay in the file. */
export interface FiledHistory {
  readonly history: ZookeeperHistory;
  /** Invocations. */
  readonly operations: number;
  readonly warnings: readonly string[];
}

/**
 * Reads this project's own JSON lines from a regular file, for `judgeZookeeper`. The lines of the most frequent
 * operations are not parsed, and no events are kept: a history takes two thirds of the time and memory. Throws
 * InputError for what can't be read, or is no such history.
 */
export function readZookeeperFile(file: string): FiledHistory {
  const events = new FiledEvents(file);
  const intake = new HistoryIntake(events, () => lines.location);
  const { record } = intake;
  const recognised = new EventLines(record);
  const lines = new HistoryLines(
    { file },
    {
      recognise: (bytes, from) => {
        const end = recognised.read(bytes, from);
        if (end === -1) return end;
        intake.takeRecord();
        events.note(record.index, record.time, lines.lineAt);
        return end;
      },
      take: (event) => {
        intake.take(event);
        events.note(event.index, event.time, lines.lineAt);
      },
    },
  );
  readChunks(file, (chunk) => lines.write(chunk));
  const torn = lines.end();
  return { history: intake.end(), operations: intake.operations, warnings: tornWarnings(file, torn) };
}
