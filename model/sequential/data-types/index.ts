export { casRegister, register } from "./registers.ts";
export { compareValues, fifoQueue, priorityQueue, setOfValues, stack } from "./collections.ts";
export { counter, mutex } from "./mutex-and-counter.ts";
export { keyValue } from "./key-value.ts";
export { appendList, readWriteLock, type ReadWriteState, uniqueIds } from "./locks-and-lists.ts";
export { versionedRegister, type VersionedState } from "./versioned-register.ts";
export { etcd, type EtcdState } from "./etcd.ts";
