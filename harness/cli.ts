import { exitCodes } from "./exit-codes.ts";
import { main } from "./main.ts";

// `zabcheck ... | head` ends quietly, also where the pipe breaks after the last line was written.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.internal);
  throw error;
});
// Not awaited at the top level, so that it can be bundled as a script. Whatever waits for nothing ends as an error.
let hasEnded = false;
process.once("beforeExit", () => {
  if (!hasEnded) process.exitCode = exitCodes.internal;
});
void run();

async function run(): Promise<void> {
  process.exitCode = await main(process.argv.slice(2));
  hasEnded = true;
  // Whatever still holds the event loop (a keep-alive socket of the engine) must not keep the terminal waiting.
  setTimeout(() => process.exit(), 2000).unref();
}
