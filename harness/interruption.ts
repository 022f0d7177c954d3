/** As a shell reports death by SIGINT. */
const interruptedCode = 130;

/** In the environment of a child whose standard input is a pipe from its supervisor: when it ends, so does the child. */
export const supervisedVariable = "ZABCHECK_SUPERVISED";

/**
 * Does something long that a user may end: the first Ctrl-C (or SIGTERM, or the death of its supervisor) aborts the
 * signal, so that it heals, collects and keeps what there is; the second one leaves at once. What is left of containers
 * then is the next sweep's.
 */
export async function withInterruption<T>(
  long: (interruption: AbortSignal) => Promise<T>,
  tell: (line: string) => void,
): Promise<T> {
  const controller = new AbortController();
  const end = (): void => {
    if (controller.signal.aborted) return;
    controller.abort();
    tell("ending early: healing, collecting and checking what there is; once more to leave at once");
  };
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(interruptedCode);
    end();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const forget = process.env[supervisedVariable] === "1" ? onEndOfInput(end) : () => undefined;
  try {
    return await long(controller.signal);
  } finally {
    forget();
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

/** Calls once standard input has ended, which does not keep the process alive. */
function onEndOfInput(end: () => void): () => void {
  const { stdin } = process;
  stdin.on("end", end).on("error", end).resume();
  if ("unref" in stdin) stdin.unref();
  return () => {
    stdin.off("end", end).off("error", end).pause();
  };
}
