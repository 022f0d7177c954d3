import { z } from "zod";
import type { SubRequest } from "../../model/index.ts";
import { ClientOperations } from "../client-operations.ts";
import type { Performed, Session } from "../session.ts";
import { workloadChecks } from "./checks.ts";
import { titled } from "./names.ts";
import { count, mistake, weight } from "./options.ts";
import { accountPrefix, balanceAtFirst, root } from "./paths.ts";
import { make } from "./setup.ts";
import type { Worker, Workload } from "./workload.ts";

export interface MultiOptions {
  /** Accounts. */
  readonly keys: number;
  /** How often a client transfers, reads all balances at one time, and asks for what has to be refused. */
  readonly transfer: number;
  readonly audit: number;
  readonly forge: number;
  readonly mistake: string;
}

interface Account {
  readonly path: string;
  readonly balance: number;
  readonly version: number;
}

const amountMax = 10;

/** A version that no znode of a run reaches. */
const neverVersion = 1 << 30;

const pathOf = (key: number): string => `${accountPrefix}${key}`;

/**
 * Accounts, each a znode: a transfer is one multi, which writes both on the versions that were read and checks a third.
 * Several znodes cannot be read at once: an audit reads all accounts, and counts if a multi of checks then finds every
 * one in the version that was read. A forgery adds to an account within a multi whose check fails.
 */
export const multi: Workload<MultiOptions> = {
  ...titled("multi"),
  options: z.strictObject({
    keys: count(4, 3, 100),
    transfer: weight(60),
    audit: weight(30),
    forge: weight(10),
    mistake: mistake("two-writes"),
  }),

  async setup(session, { keys }) {
    await make(session, root, "");
    for (let key = 0; key < keys; key++) await make(session, pathOf(key), `${balanceAtFirst}`);
  },

  async work(worker, options) {
    const { keys, mistake: name, ...weights } = options;
    const teller = new Teller(worker, keys, name === "two-writes");
    while (await worker.pace()) {
      switch (worker.random.weighted(weights)) {
        case "transfer":
          await teller.transfer();
          break;
        case "audit":
          await teller.audit();
          break;
        case "forge":
          await teller.forge();
          break;
      }
    }
    await teller.session.close();
  },

  async read(session, _server, { keys }) {
    for (let key = 0; key < keys; key++)
      await session.perform({ op: "getData", path: pathOf(key) }, { synced: true, final: true });
  },

  checks: workloadChecks.multi,
};

/** One client of the accounts. */
class Teller {
  readonly session: Session;
  readonly #worker: Worker;
  readonly #keys: number;
  readonly #writesApart: boolean;
  readonly #operations: ClientOperations;

  constructor(worker: Worker, keys: number, writesApart: boolean) {
    this.#worker = worker;
    this.#keys = keys;
    this.#writesApart = writesApart;
    this.session = worker.session();
    this.#operations = new ClientOperations(worker);
  }

  async transfer(): Promise<void> {
    const { random } = this.#worker;
    const first = random.below(this.#keys);
    const keys = [0, 1, 2].map((i) => (first + i) % this.#keys);
    const [from, to, other] = await this.#load(keys);
    const amount = random.between(1, amountMax);
    if (from === undefined || to === undefined || other === undefined || from.balance < amount) return;
    this.#operations.invoke("transfer", { from: from.path, to: to.path, amount });
    const writes = [written(from, from.balance - amount), written(to, to.balance + amount)];
    if (!this.#writesApart) {
      const check = { op: "check", path: other.path, version: other.version } as const;
      return this.#end(await this.session.perform({ op: "multi", operations: [...writes, check] }));
    }
    for (const write of writes) {
      const performed = await this.session.perform(write);
      if (performed.type !== "ok") return this.#end(performed);
    }
    this.#operations.ok(this.session.id);
  }

  /** All balances as they were at one time, if nobody wrote in between. */
  async audit(): Promise<void> {
    this.#operations.invoke("audit", { accounts: this.#keys });
    const accounts = await this.#load(Array.from({ length: this.#keys }, (_, key) => key));
    if (accounts.length < this.#keys) return this.#operations.fail("not read");
    const checks = accounts.map(({ path, version }) => ({ op: "check", path, version }) as const);
    const performed = await this.session.perform({ op: "multi", operations: checks });
    if (performed.type === "ok")
      this.#operations.ok(this.session.id, { balances: accounts.map(({ balance }) => balance) });
    else this.#operations.fail("somebody wrote in between, or it is not known");
  }

  /** Money out of nothing, which the check has to prevent. */
  async forge(): Promise<void> {
    const [account, other] = await this.#load([0, 1]);
    if (account === undefined || other === undefined) return;
    this.#operations.invoke("forge", { account: account.path });
    const forged = { ...written(account, account.balance + balanceAtFirst), version: -1 };
    const check = { op: "check", path: other.path, version: neverVersion } as const;
    this.#end(await this.session.perform({ op: "multi", operations: [forged, check] }));
  }

  /** Those that could be read. */
  async #load(keys: readonly number[]): Promise<readonly Account[]> {
    const accounts: Account[] = [];
    for (const key of keys) {
      const path = pathOf(key);
      const read = await this.session.perform({ op: "getData", path });
      if (read.type !== "ok") break;
      const { data, stat } = read.answer.result;
      accounts.push({ path, balance: Number(data), version: stat?.version ?? -1 });
    }
    return accounts;
  }

  #end(performed: Performed): void {
    if (performed.type === "ok") this.#operations.ok(this.session.id);
    else if (performed.type === "fail") this.#operations.fail(performed.error);
    else if (performed.type === "none") this.#operations.fail("no connection could be had");
    else this.#operations.info(performed.reason);
  }
}

function written({ path, version }: Account, balance: number): SubRequest & { readonly op: "setData" } {
  return { op: "setData", path, data: `${balance}`, version };
}
