import { type Event, isFinalRead, type Json, type Operation, pairOperations } from "../../model/index.ts";
import type { Verdict } from "../verdict.ts";
import { PromiseCheck } from "../zookeeper/findings.ts";

export interface AccountOptions {
  /** The accounts' paths begin so. */
  readonly prefix: string;
  /** What each of them held at first. */
  readonly initial: number;
}

/**
 * Accounts whose sum never changes: `transfer {from, to, amount}`, `audit {accounts}` -> {balances}, `forge`, which has to
 * be refused; and the final reads of the accounts. Every audit shows all the money; in the end each account holds what
 * the acknowledged transfers make of it, give or take those without an answer. O(n).
 */
export function checkAccounts(events: readonly Event[], { prefix, initial }: AccountOptions): Verdict[] {
  const audits = new PromiseCheck("audits");
  const refused = new PromiseCheck("forgeries");
  const final = new PromiseCheck("final-balances");
  const operations = pairOperations(events);
  const bounds = new Map<string, Bounds>();
  const begin = (path: string): Bounds => {
    const own = bounds.get(path) ?? { least: initial, most: initial };
    bounds.set(path, own);
    return own;
  };
  for (const operation of operations) {
    const { f, invocation, completion } = operation;
    if (f === "audit" && completion?.type === "ok") checkAudit(completion, invocation, initial, audits);
    if (f === "forge" && completion !== undefined && completion.type !== "info") {
      refused.checked();
      if (completion.type === "ok")
        refused.broken("a multi with a check that fails was answered with ok", completion, [invocation]);
    }
    if (f === "transfer" && completion?.type !== "fail") transfer(operation, begin);
  }
  for (const { f, invocation, completion } of operations) {
    const path = String(field(invocation, "path"));
    if (f !== "sync+getData" || completion?.type !== "ok" || !isFinalRead(invocation)) continue;
    if (!path.startsWith(prefix)) continue;
    final.checked();
    const { least, most } = begin(path);
    const balance = Number(field(completion, "data"));
    if (balance >= least && balance <= most) continue;
    const due = least === most ? `${least}` : `${least} to ${most}`;
    final.broken(`${path} holds ${balance} in the end, and ${due} is due`, completion, [invocation]);
  }
  return [
    audits.verdict("what is read at one time has the right sum", "audits"),
    refused.verdict("a multi whose check fails is refused", "forgeries"),
    final.verdict("acknowledged transfers are there in the end, each once", "final balances"),
  ];
}

interface Bounds {
  least: number;
  most: number;
}

function checkAudit(completion: Event, invocation: Event, initial: number, audits: PromiseCheck): void {
  audits.checked();
  const balances = field(completion, "balances") as readonly number[];
  const sum = balances.reduce((all, balance) => all + balance, 0);
  const due = balances.length * initial;
  if (sum !== due)
    audits.broken(`the balances ${balances.join(", ")} are ${sum}, not ${due}`, completion, [invocation]);
  if (balances.some((balance) => balance < 0))
    audits.broken(`a balance of ${balances.join(", ")} is negative`, completion, [invocation]);
}

/** What was not answered may have happened. */
function transfer({ invocation, completion }: Operation, begin: (path: string) => Bounds): void {
  const amount = Number(field(invocation, "amount"));
  const [from, to] = [begin(String(field(invocation, "from"))), begin(String(field(invocation, "to")))];
  from.least -= amount;
  to.most += amount;
  if (completion?.type !== "ok") return;
  from.most -= amount;
  to.least += amount;
}

function field({ value }: Event, name: string): Json | undefined {
  return typeof value === "object" && value !== null
    ? (value as { readonly [n: string]: Json })[name]
    : undefined;
}
