import { exitCodes } from "./exit-codes.ts";
import { main } from "./main.ts";

/** Runs the command line as what this process is for: its arguments, its streams, its exit code. */
export async function runProcess(): Promise<void> {
  // `zabcheck ... | head` ends quietly, also where the pipe breaks after the last line was written.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.internal);
    throw error;
  });
  // Where nothing is left to wait for and it has not ended, that is an error.
  let hasEnded = false;
  process.once("beforeExit", () => {
    if (!hasEnded) process.exitCode = exitCodes.internal;
  });
  process.exitCode = await main(process.argv.slice(2));
  hasEnded = true;
  // Whatever still holds the event loop (a keep-alive socket of the engine) must not keep the terminal waiting.
  setTimeout(() => process.exit(), 2000).unref();
}
