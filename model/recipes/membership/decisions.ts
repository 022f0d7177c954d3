import { childPath } from "../../sequential/index.ts";
import { rest, send, type Decision, type Decisions } from "../decisions.ts";

/*
 * Group membership: a member is an ephemeral znode, and whoever needs the list of members keeps it, with a watch.
 * Source: ZooKeeper Recipes and Solutions, Group Membership; Hunt et al., USENIX ATC 2010, §2.4.
 */

export type MemberState = { readonly phase: "outside" | "joining" | "member" | "leaving" };
export type MemberCommand = "join" | "leave";
export type MemberDecisions = Decisions<MemberState, MemberCommand>;

/** A member of the group at `path`. `name` is its own. `ephemeral` false: for variants. */
export function memberDecisions(path: string, name: string, ephemeral = true): MemberDecisions {
  const own = childPath(path, name);
  const join: Decision<MemberState> = send(
    { phase: "joining" },
    { op: "create", path: own, data: "", ephemeral, sequential: false },
  );
  const leave: Decision<MemberState> = send({ phase: "leaving" }, { op: "delete", path: own, version: -1 });
  return {
    start: { phase: "outside" },
    commands: ({ phase }) => (phase === "outside" ? ["join"] : phase === "member" ? ["leave"] : []),
    decide({ phase }, event) {
      // The znode of the old session is gone with it: who wants to be a member joins again.
      if (event.type === "expired") return rest({ phase: "outside" });
      switch (phase) {
        case "outside":
          return event.type === "command" && event.command === "join" ? join : rest({ phase });
        case "joining":
          if (event.type === "disconnected") return join;
          // There already: its own, of which the answer was lost.
          return event.type === "answer" ? rest({ phase: "member" }) : rest({ phase });
        case "member":
          return event.type === "command" && event.command === "leave" ? leave : rest({ phase });
        case "leaving":
          if (event.type === "disconnected") return leave;
          return event.type === "answer" ? rest({ phase: "outside" }) : rest({ phase });
      }
    },
  };
}

/** What a consumer knows: the list that it last read. */
export type MembersState =
  | { readonly phase: "unread" | "reading" }
  | { readonly phase: "settled"; readonly members: readonly string[] };

/** `read`: it reads the list, and keeps it up to date. */
export type MembersDecisions = Decisions<MembersState, "read">;

/** A consumer of the list of members. */
export function membersDecisions(path: string): MembersDecisions {
  const read: Decision<MembersState> = send(
    { phase: "reading" },
    { op: "getChildren", path, watch: true, sync: false },
  );
  return {
    start: { phase: "unread" },
    commands: ({ phase }) => (phase === "unread" ? ["read"] : []),
    decide(state, event) {
      switch (state.phase) {
        case "unread":
          return event.type === "command" ? read : rest(state);
        case "reading":
          if (event.type !== "answer" || event.answer.error !== null) return read;
          return rest({ phase: "settled", members: event.answer.children });
        case "settled":
          // With a watch set, a disconnection alone loses nothing: the watch is set again on the next connection.
          return event.type === "event" || event.type === "expired" ? read : rest(state);
      }
    },
  };
}
