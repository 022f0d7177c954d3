import type { Container, HostConfig } from "dockerode";
import { OperationError } from "../../model/index.ts";
import type { ServerName } from "../fault.ts";
import { archiveOf } from "./archive.ts";
import { toolText } from "./data-files.ts";
import { type Engine, engineFailure } from "./engine.ts";
import { removeContainer, removeVolume } from "./removal.ts";
import { Shell } from "./shell.ts";

/**
 * What a container needs that makes and mounts file systems: the loop devices of the Engine's host, and no more than
 * that. Not `Privileged`, which an Engine that lacks a single capability itself refuses.
 */
export const diskHost: HostConfig = {
  NetworkMode: "none",
  CapAdd: ["SYS_ADMIN"],
  SecurityOpt: ["apparmor=unconfined"],
  DeviceCgroupRules: ["b 7:* rwm", "c 10:237 rwm"],
  Binds: ["/dev:/dev"],
};

/** Sparse: it takes what is written to it. */
const diskSize = "4G";

/**
 * Makes an ext4 file system in a file and a loop device for it, whose name it prints last. `losetup -d` on a device
 * that is open has the kernel free it with its last user: nothing needs to be undone after a kill.
 */
export const makeDisk: string = `make_disk() {
  truncate -s ${diskSize} "$1" &&
  mkfs.ext4 -q -F -m 0 -J size=4 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=1000:1000 "$1" &&
  loop=$(losetup --find --show "$1") &&
  { sleep infinity 3<>"$loop" >/dev/null 2>&1 & } &&
  while [ -z "$(ls -l /proc/$!/fd 2>/dev/null | grep " $loop$")" ]; do sleep 0.005; done &&
  losetup --detach "$loop" &&
  losetup --list --noheadings --output AUTOCLEAR "$loop" | grep -q 1 &&
  mkdir -p /mnt/disk && mount "$loop" /mnt/disk && rmdir /mnt/disk/lost+found && umount /mnt/disk &&
  echo "$loop"
}`;

/** What is mounted for a moment only: a server's own mount must be the last one when its power is cut. */
function mounted(device: string, command: string): string {
  return `mount ${device} /mnt/disk && { ${command}; code=$?; umount /mnt/disk; [ $code = 0 ]; }`;
}

/** The name of the file that fills a disk. */
const ballast = "/mnt/disk/.zabcheck-ballast";

/**
 * Disks of the servers' own, one for each, that can be full or lose power: file systems on loop devices, kept by one
 * container, which goes last. The Engine mounts them as volumes of the type ext4.
 */
export class Disks {
  readonly #engine: Engine;
  readonly #shell: Shell;
  readonly #name: string;
  readonly #devices: ReadonlyMap<ServerName, string>;

  private constructor(engine: Engine, name: string, shell: Shell, devices: ReadonlyMap<ServerName, string>) {
    this.#engine = engine;
    this.#name = name;
    this.#shell = shell;
    this.#devices = devices;
  }

  /** Throws OperationError where the Engine's host gives no loop devices. */
  static async make(
    engine: Engine,
    run: string,
    labels: Record<string, string>,
    image: string,
    servers: readonly ServerName[],
  ): Promise<Disks> {
    const name = `zabcheck-${run}-disks`;
    // The kernel tells the path of a loop device's file: it says whose it is.
    const folder = `/zabcheck-${run}`;
    try {
      await startKeeper(engine, { name, folder, labels, image });
      const shell = await Shell.open(engine, name);
      const devices = new Map<ServerName, string>();
      await need(shell, makeDisk, "prepare the servers' disks");
      for (const server of servers) {
        const output = await need(shell, `make_disk ${folder}/${server}.img`, `make a disk for ${server}`);
        devices.set(server, output.trim().split("\n").at(-1) ?? "");
      }
      return new Disks(engine, name, shell, devices);
    } catch (error) {
      await removeKeeper(engine, name);
      throw error;
    }
  }

  /** For the options of a volume of the driver "local". */
  deviceOf(server: ServerName): string {
    const device = this.#devices.get(server);
    if (device === undefined) throw new Error(`${server} has no disk of its own`);
    return device;
  }

  /** Takes every free block. The rest of a file's last block may still be written. */
  async fill(server: ServerName): Promise<void> {
    // Not to the last block, as the file system needs some for the file itself; the rest is written, until it is full.
    const fill = `free=$(( $(stat -f -c '(%a - 256) * %S' /mnt/disk) ))
      [ $free -le 0 ] || fallocate -l $free ${ballast}
      dd if=/dev/zero of=${ballast}-rest bs=4k count=4096 2>/dev/null
      [ "$(stat -f -c %a /mnt/disk)" = 0 ]`;
    await this.#on(server, fill, "fill");
  }

  async empty(server: ServerName): Promise<void> {
    await this.#on(server, `rm -f ${ballast} ${ballast}-rest`, "empty");
  }

  /** Has everything on the disk that was written so far. */
  async flush(server: ServerName): Promise<void> {
    await this.#on(server, "sync -f /mnt/disk", "flush");
  }

  /** From now on nothing reaches the disk until it is mounted anew. */
  async cutPower(server: ServerName): Promise<void> {
    await this.#on(server, "perl /zabcheck/cut-power.pl /mnt/disk", "cut the power of");
  }

  async #on(server: ServerName, command: string, what: string): Promise<string> {
    return await need(this.#shell, mounted(this.deviceOf(server), command), `${what} the disk of ${server}`);
  }

  /** The servers' containers and volumes must have gone before. */
  async remove(): Promise<void> {
    this.#shell.close();
    await removeKeeper(this.#engine, this.#name);
  }
}

async function removeKeeper(engine: Engine, name: string): Promise<void> {
  await removeContainer(engine, name);
  await removeVolume(engine, name);
}

interface Keeper {
  readonly name: string;
  /** Of the file systems' files. */
  readonly folder: string;
  readonly labels: Record<string, string>;
  readonly image: string;
}

async function startKeeper(engine: Engine, { name, folder, labels, image }: Keeper): Promise<void> {
  const volume = { NoCopy: true, Labels: labels, DriverConfig: { Name: "local", Options: {} } };
  try {
    const container: Container = await engine.createContainer({
      name,
      Image: image,
      Entrypoint: ["sleep"],
      Cmd: ["infinity"],
      User: "0",
      Labels: { ...labels, "zabcheck.role": "disks" },
      HostConfig: {
        ...diskHost,
        Mounts: [{ Type: "volume", Source: name, Target: folder, VolumeOptions: volume as never }],
      },
    });
    await container.putArchive(await archiveOf({ "zabcheck/cut-power.pl": toolText("cut-power.pl") }), {
      path: "/",
    });
    await container.start();
  } catch (error) {
    throw engineFailure("make the servers' disks", error);
  }
}

async function need(shell: Shell, command: string, what: string): Promise<string> {
  const { code, output } = await shell.run(command);
  if (code === 0) return output;
  throw new OperationError(
    "disk",
    `could not ${what}: ${output.replaceAll(/\s+/g, " ").trim()}`,
    "is the Docker host's disk full, or are its loop devices in use (`losetup --list`)?",
  );
}
