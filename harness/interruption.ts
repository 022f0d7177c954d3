/** As a shell reports death by SIGINT. */
const interruptedCode = 130;

/**
 * Does something long that a user may end: the first Ctrl-C (or SIGTERM) aborts the signal, so that it heals, collects
 * and keeps what there is; the second one leaves at once. What is left of containers then is the next sweep's.
 */
export async function withInterruption<T>(
  long: (interruption: AbortSignal) => Promise<T>,
  tell: (line: string) => void,
): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(interruptedCode);
    controller.abort();
    tell("ending early: healing, collecting and checking what there is; once more to leave at once");
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    return await long(controller.signal);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}
