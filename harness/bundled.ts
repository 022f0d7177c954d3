import { runProcess } from "./process.ts";

// What `start.ts` loads is a script: it can't be awaited at the top level.
void runProcess();
