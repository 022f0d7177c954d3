import { type Engine, engineFailure, isConflict, isMissing } from "./engine.ts";
import { openSteps, type UndoStep } from "./journal.ts";
import { openNetwork, processorLimit } from "./member.ts";
import { livenessOf, ownerOf, thisOwner } from "./owner.ts";
import { removeContainer, removeNetwork, removeVolume } from "./removal.ts";
import { listScratch, removeScratch } from "./scratch.ts";

/** On everything that a run keeps at the Engine: the run's id. */
export const runLabel = "zabcheck.run";

/** What a sweep removed. */
export interface Swept {
  readonly containers: number;
  readonly networks: number;
  readonly volumes: number;
  readonly folders: number;
  /** Runs whose process lives, or that belong to another machine: nothing of theirs was touched. */
  readonly kept: readonly string[];
}

export interface SweepOptions {
  /** Also what belongs to living processes and to other machines, except this process's own. */
  readonly all?: boolean;
}

/**
 * Removes what runs left whose process no longer lives: faults still in force are undone, then containers, networks,
 * volumes and scratch folders go.
 * Throws OperationError where the Engine refuses.
 */
export async function sweep(engine: Engine, options: SweepOptions = {}): Promise<Swept> {
  const here = thisOwner();
  const kept = new Set<string>();
  const isOver = (labels: Readonly<Record<string, string>> | undefined): boolean => {
    const run = labels?.[runLabel];
    if (run === undefined) return false;
    const owner = ownerOf(labels!);
    const own = owner?.pid === here.pid && owner.start === here.start && owner.host === here.host;
    const over =
      !own && (options.all === true || (owner !== undefined && livenessOf(owner, here) === "dead"));
    if (!over) kept.add(run);
    return over;
  };
  const folders = listScratch().filter(({ liveness }) => liveness === "dead");
  for (const { folder } of folders) for (const step of openSteps(folder)) await takeStep(engine, step);

  const filters = { label: [runLabel] };
  const found = await Promise.all([
    engine.listContainers({ all: true, filters }),
    engine.listNetworks({ filters }),
    engine.listVolumes({ filters }),
  ]).catch((error: unknown) => {
    throw engineFailure("list what earlier runs left", error);
  });
  const containers = found[0].filter(({ Labels }) => isOver(Labels));
  const networks = found[1].filter(({ Labels }) => isOver(Labels));
  const volumes = (found[2].Volumes ?? []).filter(({ Labels }) => isOver(Labels));

  await Promise.all(containers.map(({ Id }) => removeContainer(engine, Id)));
  await Promise.all(networks.map(({ Id }) => removeNetwork(engine, Id)));
  await Promise.all(volumes.map(({ Name }) => removeVolume(engine, Name)));
  for (const { folder } of folders) removeScratch(folder);
  return {
    containers: containers.length,
    networks: networks.length,
    volumes: volumes.length,
    folders: folders.length,
    kept: [...kept].toSorted(),
  };
}

/** Takes one step of a dead run's journal. What is gone, or refuses because it is in the wanted state, is undone. */
async function takeStep(engine: Engine, step: UndoStep): Promise<void> {
  try {
    switch (step.step) {
      case "unpause":
        return await engine.getContainer(step.container).unpause();
      case "unlimit":
        return await engine.getContainer(step.container).update(processorLimit(undefined));
      case "remove":
        return await removeContainer(engine, step.container);
      case "open-network":
        return await openNetwork(engine, step.container);
      case "start":
        // Its container is about to be removed.
        return;
    }
  } catch (error) {
    if (isMissing(error) || isConflict(error)) return;
    // An Engine that cannot undo it can still remove the container, which undoes it for good.
  }
}
