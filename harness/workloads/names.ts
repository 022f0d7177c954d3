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
  membership: "the recipe's group: members join, leave and crash, consumers keep the list with a watch",
  configuration:
    "a znode that one client writes and all others keep with a watch: no update is missed for ever",
  "double-barrier": "the recipe's double barriers, one after the other: all enter, work, and leave together",
  multi:
    "transfers between accounts, each one multi with a check; audits of one snapshot, and multis that must fail",
  sessions:
    "sessions that make ephemeral znodes, watch those of others, move, are left to expire, and are closed",
} as const;

export type WorkloadName = keyof typeof workloadSummaries;

/** Name and summary, as a workload begins. */
export function titled<Name extends WorkloadName>(
  name: Name,
): { readonly name: Name; readonly summary: string } {
  return { name, summary: workloadSummaries[name] };
}
