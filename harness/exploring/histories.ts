import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExplorationResult, HistoryExample, HistoryExploration } from "../../checkers/index.ts";
import { OperationError, encodeEvent, encodeHeader } from "../../model/index.ts";
import type { KeptExploration } from "../../results/index.ts";

/** An exploration, with the histories that are worth showing, where the model records any. */
export type Explored = Pick<HistoryExploration, "result" | "examples">;

/** One of a model that records no histories. */
export function plainly(result: ExplorationResult): Explored {
  return { result, examples: [] };
}

export interface HistoryFile {
  readonly path: string;
  readonly example: HistoryExample;
}

/** Where the histories of an exploration that is kept are: "history-ReadsLinearizable.jsonl". */
export function historyFiles({ examples }: Explored, directory: string): readonly HistoryFile[] {
  return examples.map((example) => ({
    path: join(
      directory,
      `history-${example.promise.name}${example.kind === "anomaly" ? "-anomaly" : ""}.jsonl`,
    ),
    example,
  }));
}

/** What a report shows of them. */
export function keptHistories({ examples }: Explored): NonNullable<KeptExploration["histories"]> {
  return examples.map(({ promise, kind, events }) => ({
    property: promise.name,
    kind,
    anomaly: promise.anomaly ?? null,
    events,
  }));
}

/** Throws OperationError where a file can't be written. */
export function writeHistories(files: readonly HistoryFile[]): void {
  for (const { path, example } of files) {
    try {
      writeFileSync(path, encodeHeader() + example.events.map(encodeEvent).join(""));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new OperationError("UNWRITABLE", `${path}: ${reason}`, "choose another file", error);
    }
  }
}

/** The command that judges a history by itself. */
export function checkCommand({ path, example }: HistoryFile): string {
  const { as, initial } = example.promise;
  const chosen = initial === undefined ? "" : ` --initial ${JSON.stringify(initial)}`;
  return `zabcheck check ${path} --as ${as}${chosen}`;
}
