/** Where the workloads keep their znodes; their checks look there. */
export const root = "/zabcheck";

export const registerPrefix: string = `${root}/register-`;
export const casPrefix: string = `${root}/cas-`;

/** What registers hold at first. */
export const initialValue = "initial";

/** The queue of a lock, and what the lock guards. */
export function lockPath(name: string): string {
  return `${root}/${name}`;
}

const guardSuffix = "-guard";

export function guardOfLock(name: string): string {
  return `${root}/${name}${guardSuffix}`;
}

export function isGuardOfLock(path: string): boolean {
  return path.startsWith(root) && path.endsWith(guardSuffix);
}

export const queuePaths: { readonly queue: string; readonly done: string } = {
  queue: `${root}/queue`,
  done: `${root}/queue-done`,
};

export const idsParent: string = `${root}/ids`;
export const idsCounter: string = `${root}/ids-counter`;

export const setPath: string = `${root}/set`;
export const listPrefix: string = `${root}/list-`;

export const groupPath: string = `${root}/members`;

export const configurationParent: string = `${root}/configuration`;
export const configurationPath: string = `${configurationParent}/current`;

export const barrierPrefix: string = `${root}/barrier-`;

export const accountPrefix: string = `${root}/account-`;
export const balanceAtFirst = 100;

export const sessionsPath: string = `${root}/sessions`;
