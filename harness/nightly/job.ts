import type { JobSubject } from "../../results/index.ts";
import { quoted } from "../command-line.ts";

/** One run or exploration of a plan: plain JSON, so that it can be written down and sent. */
export interface Job {
  /** Unique within its night, stable, and fit for a file's name. */
  readonly id: string;
  readonly subject: JobSubject;
  /** Of the command line, after `zabcheck`; what says where to keep it is not among them. */
  readonly words: readonly string[];
  /** How long it will take about. */
  readonly expectedMs: number;
  /** When it has not ended by then it is ended. */
  readonly limitMs: number;
  /** How long it may take to end after it was asked to. */
  readonly graceMs: number;
  /** What it needs in all, its servers included. */
  readonly memoryBytes: number;
  /** Of that, its own process: when it takes more it is ended. */
  readonly processBytes: number;
  readonly processors: number;
  /** Whether it leaves something at a Docker Engine when it is killed. */
  readonly usesDocker: boolean;
}

/** The command that does a job by itself. */
export function commandOfJob({ words }: Job): string {
  return ["zabcheck", ...words].map(quoted).join(" ");
}
