import { nameOf, type Client } from "../../specification/index.ts";
import type { Program, Reaction, Request } from "../service/index.ts";

/**
 * The double barrier (ZooKeeper Recipes and Solutions, Double Barriers): clients begin together, when enough of them
 * have joined, and end together.
 */
export type Participant = {
  readonly phase:
    | "outside"
    | "watching ready"
    | "joining"
    | "counting"
    | "announcing"
    | "waiting"
    | "working"
    | "looking"
    | "removing"
    | "watching others"
    | "done";
};

export const barrierPath = "/barrier";
const readyPath = `${barrierPath}/ready`;

export interface BarrierConduct {
  /** The mistake: who has finished removes its znode and goes, whoever still works. */
  readonly leavesEarly?: boolean;
  /** The mistake: it waits to be told, and has not asked to be. */
  readonly watchesNothing?: boolean;
  /** The mistake: it works as soon as it has joined. */
  readonly entersEarly?: boolean;
}

export function barrierProgram(conduct: BarrierConduct, size: number): Program<Participant> {
  const go = (phase: Participant["phase"], request: Request | null = null): Reaction<Participant> => ({
    state: { phase },
    request,
  });
  const watchReady: Request = {
    op: "exists",
    path: readyPath,
    watch: conduct.watchesNothing !== true,
    sync: false,
  };
  const count: Request = { op: "getChildren", path: barrierPath, watch: false, sync: false };
  const join = (client: Client): Request => ({
    op: "create",
    path: `${barrierPath}/${nameOf(client)}`,
    data: "",
    ephemeral: true,
    sequential: false,
  });
  const announce: Request = { op: "create", path: readyPath, data: "", ephemeral: false, sequential: false };
  const remove = (client: Client): Request => ({
    op: "delete",
    path: `${barrierPath}/${nameOf(client)}`,
    version: -1,
  });
  const watchOther = (name: string): Request => ({
    op: "exists",
    path: `${barrierPath}/${name}`,
    watch: true,
    sync: false,
  });

  /** The lowest stays to the last and waits for the highest; the others remove theirs and wait for the lowest. */
  const leave = (children: readonly string[], client: Client): Reaction<Participant> => {
    const others = children.filter((name) => name !== "ready");
    const own = nameOf(client);
    if (others.length === 0) return go("done");
    if (others.includes(own)) {
      if (others.length === 1) return go("removing", remove(client));
      if (others[0] !== own) return go("removing", remove(client));
      return go("watching others", watchOther(others.at(-1) ?? own));
    }
    return go("watching others", watchOther(others[0] ?? own));
  };

  return {
    start: () => ({ phase: "outside" }),
    choices: ({ phase }) => (phase === "outside" ? ["enter"] : phase === "working" ? ["leave"] : []),
    react({ phase }, input, client) {
      if (input.type === "choice") {
        if (input.choice === "enter") return go("watching ready", watchReady);
        return conduct.leavesEarly === true ? go("removing", remove(client)) : go("looking", count);
      }
      if (input.type === "disconnected" || input.type === "expired") return again(phase, client);
      if (input.type === "event") {
        if (phase === "waiting") return go("working");
        return phase === "watching others" ? go("looking", count) : go(phase);
      }
      const { answer } = input;
      switch (phase) {
        case "watching ready":
          return go("joining", join(client));
        case "joining":
          // Its own znode, should it exist already: the name is the client's.
          return conduct.entersEarly === true ? go("working") : go("counting", count);
        case "counting": {
          const children = answer.error === null ? answer.children : [];
          if (children.includes("ready")) return go("working");
          return children.length >= size ? go("announcing", announce) : go("waiting");
        }
        case "announcing":
          return go("working");
        case "looking":
          return leave(answer.error === null ? answer.children : [], client);
        case "removing":
          return conduct.leavesEarly === true ? go("done") : go("looking", count);
        case "watching others":
          return answer.error === null ? go("watching others") : go("looking", count);
        default:
          return go(phase);
      }
    },
  };

  /** After a disconnection each step can be taken again. */
  function again(phase: Participant["phase"], client: Client): Reaction<Participant> {
    switch (phase) {
      case "watching ready":
        return go(phase, watchReady);
      case "joining":
        return go(phase, join(client));
      case "counting":
        return go(phase, count);
      case "waiting":
        return go("counting", count);
      case "announcing":
        return go(phase, announce);
      case "removing":
        return go(phase, remove(client));
      case "looking":
      case "watching others":
        return go("looking", count);
      default:
        return go(phase);
    }
  }
}
