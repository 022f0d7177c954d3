import { parentPort } from "node:worker_threads";
import { specificationNamed } from "../../model/index.ts";
import { ObjectCheck } from "./object-check.ts";
import type { Task } from "./parallel.ts";

/** Decides the objects that it is sent, one after the other. */
parentPort?.on("message", (task: Task) => {
  const specification = specificationNamed(task.specification, task.initial);
  const check = new ObjectCheck(task.operations, specification, task.useSpecialised);
  parentPort?.postMessage(check.run({ deadline: performance.now() + task.timeMs, bytesMax: task.bytesMax }));
});
