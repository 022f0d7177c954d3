import type { Job } from "./job.ts";
import type { JobResult } from "./journal.ts";
import type { Observer } from "./supervisor.ts";
import { duration } from "../progress.ts";

/** A plan's progress: on standard error, never among the results. */
export interface Display extends Observer {
  done(): void;
}

/** Bars on a terminal, plain lines elsewhere. `total`: jobs of the night; `already`: how many an earlier session did. */
export async function makeDisplay(
  total: number,
  already: number,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<Display> {
  if (stream.isTTY && process.env["TERM"] !== "dumb") return barDisplay(total, already, stream);
  return plainDisplay(total, already, (line) => stream.write(`${line}\n`));
}

/** Exported for its test. */
export function plainDisplay(total: number, already: number, write: (line: string) => void): Display {
  let ended = already;
  return {
    started: () => {},
    postponed: (job, reason) => write(`${job.id} could not start and will be tried again: ${reason}`),
    ended: (job, result) => write(`[${++ended}/${total}] ${lineOf(job, result)}`),
    note: write,
    done: () => {},
  };
}

/** "holds     register-embedded-kill-7, 4.2 s". */
export function lineOf(job: Job, { verdict, seconds, status, detail }: JobResult): string {
  const mark = { holds: "holds   ", violated: "VIOLATED", unknown: "unknown " }[verdict];
  const more =
    status === "done" ? "" : `: ${status}${detail === "" || detail === status ? "" : `, ${detail}`}`;
  return `${mark}  ${job.id}, ${duration(1000 * seconds)}${more}`;
}

const frameMs = 500;
/** Of a job's expected time: it may take longer, and is not done before it is. */
const almost = 0.99;

async function barDisplay(total: number, already: number, stream: NodeJS.WriteStream): Promise<Display> {
  const { MultiBar } = await import("cli-progress");
  const bars = new MultiBar({
    stream,
    format: "{bar} {percentage}%  {text}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 20,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    fps: 4,
  });
  const startMs = Date.now();
  const counts = { holds: 0, violated: 0, unknown: 0 };
  let ended = already;
  const whole = bars.create(total, already, { text: "" });
  const running = new Map<string, { bar: typeof whole; job: Job; startMs: number }>();
  const draw = (): void => {
    const now = Date.now();
    for (const { bar, job, startMs: since } of running.values()) {
      const share = Math.min(almost, (now - since) / job.expectedMs);
      bar.update(Math.round(1000 * share), { text: `${job.id}  ${duration(now - since)}` });
    }
    const told = Object.entries(counts).filter(([, count]) => count > 0);
    const doneNow = ended - already;
    const left =
      doneNow === 0 ? "" : `, about ${duration(((now - startMs) / doneNow) * (total - ended))} left`;
    const text = [`${ended} of ${total}`, ...told.map(([verdict, count]) => `${count} ${verdict}`)].join(
      ", ",
    );
    whole.update(ended, { text: `${text}${left}` });
  };
  const timer = setInterval(draw, frameMs);
  timer.unref();
  const log = (line: string): void => {
    bars.log(`${line}\n`);
    draw();
  };
  return {
    started(job) {
      // A second time where a worker was lost.
      forget(job);
      running.set(job.id, { bar: bars.create(1000, 0, { text: job.id }), job, startMs: Date.now() });
    },
    postponed(job, reason) {
      forget(job);
      log(`${job.id} could not start and will be tried again: ${reason}`);
    },
    ended(job, result) {
      forget(job);
      ended++;
      counts[result.verdict]++;
      if (result.verdict === "holds") draw();
      else log(lineOf(job, result));
    },
    note: log,
    done() {
      clearInterval(timer);
      bars.stop();
    },
  };

  function forget(job: Job): void {
    const entry = running.get(job.id);
    if (entry === undefined) return;
    running.delete(job.id);
    bars.remove(entry.bar);
  }
}
