/** What is running, how far, how long still: on standard error, never among the results. */
export interface Progress {
  /** A new stage begins: "starting 3 servers". */
  stage(text: string): void;
  /** How far the stage is, from 0 to 1, with a few words. Called as often as one likes. */
  update(fraction: number, text: string): void;
  /** One line that stays. */
  note(text: string): void;
  /** The display ends; what follows on standard error stands on its own line. */
  done(): void;
}

export const noProgress: Progress = { stage: () => {}, update: () => {}, note: () => {}, done: () => {} };

/** Without a terminal a stage's progress is told this often. */
const plainIntervalMs = 10_000;

/** A bar on a terminal, plain lines elsewhere. */
export async function makeProgress(stream: NodeJS.WriteStream = process.stderr): Promise<Progress> {
  if (stream.isTTY && process.env["TERM"] !== "dumb") return barProgress(stream);
  return plainProgress((line) => stream.write(`${line}\n`), Date.now);
}

/** Exported for tests: the clock and the lines are the caller's. */
export function plainProgress(write: (line: string) => void, nowMs: () => number): Progress {
  let stage = "";
  let stageAtMs = nowMs();
  let toldAtMs = nowMs();
  return {
    stage(text) {
      stage = text;
      stageAtMs = toldAtMs = nowMs();
      write(text);
    },
    update(fraction, text) {
      const now = nowMs();
      if (now - toldAtMs < plainIntervalMs) return;
      toldAtMs = now;
      write(
        `${stage}: ${percent(fraction)}, ${remaining(fraction, now - stageAtMs)}${text === "" ? "" : `, ${text}`}`,
      );
    },
    note: (text) => write(text),
    done() {},
  };
}

async function barProgress(stream: NodeJS.WriteStream): Promise<Progress> {
  const { SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    stream,
    format: "{stage} {bar} {percentage}%  {rest}  {text}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    fps: 8,
    gracefulExit: false,
  });
  let running = false;
  let stage = "";
  let stageAtMs = Date.now();
  const stop = (): void => {
    if (running) bar.stop();
    running = false;
  };
  return {
    stage(text) {
      stop();
      stage = text;
      stageAtMs = Date.now();
      bar.start(1000, 0, { stage, rest: "", text: "" });
      running = true;
    },
    update(fraction, text) {
      if (running)
        bar.update(Math.round(1000 * fraction), { rest: remaining(fraction, Date.now() - stageAtMs), text });
    },
    note(text) {
      stop();
      stream.write(`${text}\n`);
    },
    done: stop,
  };
}

function percent(fraction: number): string {
  return `${Math.round(100 * Math.min(1, fraction))} %`;
}

function remaining(fraction: number, elapsedMs: number): string {
  if (fraction <= 0.01) return "";
  const leftMs = (elapsedMs * (1 - Math.min(1, fraction))) / fraction;
  return `${duration(leftMs)} left`;
}

/** "850 ms", "42 s", "3 min 10 s". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${ms < 10_000 ? (ms / 1000).toFixed(1) : seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
