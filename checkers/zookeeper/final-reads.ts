import { PromiseCheck } from "./findings.ts";
import { nameOf } from "./real-time.ts";
import type { Step } from "./history/steps.ts";
import type { ZookeeperHistory } from "./history/zookeeper-history.ts";

/**
 * When faults are undone and nobody writes any more, every server shows the same: of the final reads of a path, each
 * server's last one has the same answer. Believes no zxids.
 */
export function checkFinalReads(history: ZookeeperHistory): PromiseCheck {
  const promise = new PromiseCheck("final-agreement");
  const last = new Map<string, Map<string, Step>>();
  const lastWrite = history.steps.findLastIndex((step) => step.isWrite && step.op !== "closeSession");
  for (const step of history.steps.slice(Math.max(0, lastWrite))) {
    if (!step.isFinal || !step.isAnswered || step.server === "") continue;
    const key = `${step.op} ${step.path}`;
    const servers = last.get(key);
    if (servers === undefined) last.set(key, new Map([[step.server, step]]));
    else servers.set(step.server, step);
  }
  for (const servers of last.values()) {
    const [first, ...others] = servers.values();
    if (first === undefined) continue;
    for (const other of others) {
      promise.checked();
      if (shownBy(first) === shownBy(other)) continue;
      promise.broken(
        `at the end ${first.server} answers ${nameOf(first)} with ${brief(first)}, ` +
          `${other.server} answers ${nameOf(other)} with ${brief(other)}`,
        other.reply,
        [first.invocation, first.completion, other.invocation],
      );
    }
  }
  return promise;
}

/** What of an answer has to agree: error, data, the children's names, and the Stat without the children's counts where sessions still end. */
function shownBy(step: Step): string {
  const { stat } = step;
  const names = step.children?.toSorted() ?? null;
  const own =
    stat === undefined ? null : [stat.czxid, stat.mzxid, stat.version, stat.aversion, stat.ctime, stat.mtime];
  return JSON.stringify([step.error ?? null, step.dataRead ?? null, names, own]);
}

function brief(step: Step): string {
  const text = shownBy(step);
  return text.length <= 120 ? text : `${text.slice(0, 120)}...`;
}
