#!/usr/bin/env node
import { exitCodes } from "./exit-codes.ts";
import { main } from "./main.ts";

// `zabcheck ... | head` ends quietly, also where the pipe breaks after the last line was written.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.internal);
  throw error;
});
process.exitCode = await main(process.argv.slice(2));
// Whatever still holds the event loop (a keep-alive socket of the engine) must not keep the terminal waiting.
setTimeout(() => process.exit(), 2000).unref();
