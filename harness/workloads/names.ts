/** Every workload by its name, with what it does in one line: apart from the workloads, so that help starts at once. */
export const workloadSummaries = {
  register:
    "several znodes: setData with and without version, getData, sync+getData, watches, sessions that move",
  "compare-and-set":
    "several znodes: a client exchanges the value that it last read, by setData on its version",
  "leader-election":
    "the predecessor-watch recipe: join, lead, resign, crash; leaders append fencing tokens to a guarded znode",
  lock: "the recipe's lock: acquire, write a guarded znode without a condition, release or crash",
  "read-write-lock": "the same with readers, who share the lock and see no change while they hold it",
  queue: "the recipe's queue: elements are put in and taken out, each once and in order",
  "sequential-ids": "unique ids from the numbers of sequential znodes, and from the versions of a znode",
  set: "a set of children: create, delete, exists, getChildren, sync+getChildren",
  "append-list": "lists that are read and written with one element more, by setData on the version read",
} as const;

export type WorkloadName = keyof typeof workloadSummaries;

/** Name and summary, as a workload begins. */
export function titled<Name extends WorkloadName>(
  name: Name,
): { readonly name: Name; readonly summary: string } {
  return { name, summary: workloadSummaries[name] };
}
