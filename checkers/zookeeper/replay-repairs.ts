import { nodeName, parentPath, sequenceNumber, statOf, type Zxid } from "../../model/index.ts";
import { eachSighting } from "./mentions.ts";
import { type Difference, type ReadDifference, unknownStat } from "./replay-differences.ts";
import type { ReplayState } from "./replay-state.ts";
import type { Step } from "./history/steps.ts";
import type { Place } from "./unseen.ts";

/*
 * What a replay does where an answer is not what its tree gives: it works in something unseen that explains the
 * answer, and where there is nothing of the kind it takes the answer's word.
 */

/** Works in something unseen that takes the difference away. True when something was worked in. */
export function repairWrite(state: ReplayState, step: Step, difference: Difference): boolean {
  const { tree, unseen } = state;
  const { request, predicted, actual, version, path } = difference;
  const place = beforeStep(step);
  const target = request.op === "create" ? parentPath(path) : path;
  const current = tree.node(path)?.version ?? 0;
  if (learn(state, difference)) return true;
  if (predicted === "NoNode") return unseen.create(target, place) || assumeThere(state, target);
  if (predicted === "NodeExists") return unseen.delete(path, place);
  if (predicted === "NotEmpty") {
    const [child] = tree.node(path)?.children ?? [];
    return child !== undefined && unseen.delete(`${path}/${child}`, place);
  }
  if (predicted === "BadVersion" && "version" in request) {
    return unseen.fillVersions(path, request.version - current, place);
  }
  if (predicted !== undefined) return false;
  if (actual === "BadVersion") return unseen.setData(path, place);
  if (actual === "NoNode") return unseen.delete(target, place);
  if (actual === "NodeExists") return unseen.create(path, place) || assumeChild(state, path);
  if (actual === "NotEmpty") return state.isPartial(path) && assumeThere(state, `${path}/unknown`);
  if (version !== undefined) return unseen.fillVersions(path, version - 1 - current, place);
  return difference.created !== undefined && learnSequence(state, difference.created, step);
}

/** The same for an answer to a read. Nodes created before `floor` were there before the history. */
export function repairRead(
  state: ReplayState,
  step: Step,
  { path, kind }: ReadDifference,
  floor: Zxid,
): boolean {
  const { tree, unseen } = state;
  const place = beforeStep(step);
  const own = path === step.path ? step.stat : undefined;
  const data = step.dataRead;
  if (kind === "missing") return unseen.delete(path, place);
  if (kind === "extra") {
    if (own !== undefined && own.czxid < floor) {
      state.observe(path, own, data);
      return true;
    }
    return unseen.create(path, place) || (own === undefined && assumeChild(state, path));
  }
  const node = tree.node(path);
  if (kind !== "node" || own === undefined || node === undefined) return false;
  if (node.czxid === unknownStat.czxid) {
    tree.observe(path, own, data);
    return true;
  }
  if (own.czxid > node.czxid) return unseen.delete(path, place);
  return unseen.fillVersions(path, own.version - node.version, place);
}

/** Takes an answer's word for it, so that one contradiction does not entail others. */
export function adoptWrite(state: ReplayState, step: Step): void {
  if (step.outcome !== "ok") return;
  eachSighting(step, (path, stat) => {
    const writes = step.op === "create" || step.op === "setData";
    state.observe(path, stat, writes ? step.data : undefined);
  });
  if (step.op === "delete") state.tree.observe(step.path, undefined, undefined);
}

export function adoptRead(state: ReplayState, step: Step): void {
  if (step.error === "NoNode") state.tree.observe(step.path, undefined, undefined);
  if (step.error !== undefined || step.stat === undefined) return;
  state.observe(step.path, step.stat, step.dataRead);
}

/** What an answer tells of a node of which so far nothing was known but that it was there. */
function learn(state: ReplayState, { request, path, predicted, actual, version }: Difference): boolean {
  const node = state.tree.node(path);
  if (node === undefined || node.czxid !== unknownStat.czxid || node.mzxid !== unknownStat.mzxid)
    return false;
  let known: number | undefined;
  if (version !== undefined) known = version - 1;
  else if (!("version" in request)) return false;
  else if (predicted === "BadVersion" && actual === undefined) known = request.version;
  else if (actual === "BadVersion" && request.version === node.version) known = node.version + 1;
  if (known === undefined || known === node.version) return false;
  state.tree.observe(path, { ...statOf(node), version: known }, undefined);
  return true;
}

/** A node that the history never touched may have been there before it. */
function assumeThere(state: ReplayState, path: string): boolean {
  if (state.tree.node(path) !== undefined || !state.isOlder(path)) return false;
  state.observe(path, unknownStat, null);
  return true;
}

function assumeChild(state: ReplayState, path: string): boolean {
  return state.isPartial(parentPath(path)) && assumeThere(state, path);
}

/** The number of a sequential node tells how many were created before it, also by writes nobody answered. */
function learnSequence(state: ReplayState, created: string, step: Step): boolean {
  const parent = parentPath(created);
  const node = state.tree.node(parent);
  const number = sequenceNumber(nodeName(created));
  if (node === undefined || number === undefined || !created.startsWith(step.path)) return false;
  const partial = state.isPartial(parent);
  if (number === node.creates || (number < node.creates && !partial)) return false;
  if (!partial && !state.mayChangeChildren(parent)) return false;
  if (!partial) state.unseen.owe(parent, number - node.creates);
  const stat = statOf(node);
  state.tree.observe(parent, { ...stat, cversion: number * 2 - stat.numChildren }, undefined);
  return true;
}

/** Right before an answer that shows something unseen. */
function beforeStep(step: Step): Place {
  return { zxid: step.zxid - 0.5, exact: false, seenAt: step.completedAt };
}
