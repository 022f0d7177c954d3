#!/usr/bin/env node
import { main } from "./main.ts";

process.exitCode = await main(process.argv.slice(2));
// Whatever still holds the event loop (a keep-alive socket of the engine) must not keep the terminal waiting.
setTimeout(() => process.exit(), 2000).unref();
