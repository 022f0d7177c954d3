import { word } from "./shared.ts";

/**
 * Waits until all workers have come here. The last one runs `serial` while the others wait, and thereby decides for
 * all. With one worker nobody ever waits.
 */
export function meet(control: Int32Array, workers: number, serial: () => void): void {
  const generation = Atomics.load(control, word.generation);
  if (Atomics.add(control, word.arrived, 1) + 1 === workers) {
    serial();
    Atomics.store(control, word.arrived, 0);
    Atomics.add(control, word.generation, 1);
    Atomics.notify(control, word.generation);
    return;
  }
  while (Atomics.load(control, word.generation) === generation) {
    Atomics.wait(control, word.generation, generation);
  }
}
