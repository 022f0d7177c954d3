import {
  canonical,
  FiniteSet,
  judgeState,
  nameOf,
  servers as identities,
  take,
  zabModel,
  type Action,
  type Model,
  type Now,
  type Server,
  type Value,
  type Zab,
} from "../../model/index.ts";
import type { EmbeddedEnsemble } from "./ensemble.ts";
import type { LearnerLink } from "./learner-link.ts";
import type { LinkMessage } from "./messages.ts";
import { oneSided } from "./one-sided.ts";
import type { EmbeddedServer } from "./server.ts";
import type { TracedAction } from "./trace.ts";
import { counterOf, epochOf, lastZxid, type Captured, type Logged } from "./zab-state.ts";

/** Epochs that the model may reach: it keeps the leaders of each. */
const epochsMax = 400;
/** Longer histories are not judged by the invariants. */
const judgedMax = 60;

type State = Readonly<Zab>;
type History = State["history"][Server];
type Message = State["msgs"][Server][Server][number];

/**
 * Walks the model of Zab beside the embedded ensemble. After each event, the actions that the ensemble's servers
 * report must be enabled in the model's state, one after the other, and lead to the ensemble's projected state: a
 * refinement mapping (Abadi & Lamport 1991). Events that report no action must leave the projected state as it is
 * (stuttering): the next comparison sees it.
 *
 * The projection takes every variable of Zab.tla from the servers, with these differences:
 * - `leaderOracle` is not compared. Each server's own election is its oracle: the oracle answers anew before each
 *   UpdateLeader, FollowLeader and ConnectAndFollowerSendCEPOCH.
 * - `ackSid` is compared in the histories of established leaders, where it decides. Elsewhere it is a copy that
 *   nobody reads ("no need to care ackSid"), which servers do not keep.
 * - A PROPOSE, ACK or COMMIT of several transactions is as many messages, and processing it as many steps.
 * - A message that the learner has received and is writing to its disk is still in the channel.
 * - Timeouts and restarts are one-sided (one-sided.ts).
 * - The ghosts and the recorder belong to the model alone; its invariants are evaluated on the way.
 */
export class Refinement {
  readonly #ensemble: EmbeddedEnsemble;
  readonly #model: Model<Zab>;
  readonly #actions: Map<string, Action<Zab>>;
  readonly #ids: readonly Server[];
  /** Values that the model gave to transactions. */
  readonly #values: Map<Logged, number> = new Map();
  readonly #texts: HistoryTexts = new HistoryTexts();
  readonly #taken: Map<string, number> = new Map();
  readonly #recent: string[] = [];
  #state: State;
  #judged = 0;
  #failure: string | undefined;

  constructor(ensemble: EmbeddedEnsemble) {
    this.#ensemble = ensemble;
    const voters = ensemble.settings.voters;
    const parameters = {
      servers: voters,
      transactions: Number.MAX_SAFE_INTEGER,
      timeouts: Number.MAX_SAFE_INTEGER,
      restarts: Number.MAX_SAFE_INTEGER,
      epochs: epochsMax,
      separateBudgets: true,
    };
    this.#model = zabModel.build(parameters) as Model<Zab>;
    this.#actions = new Map(this.#model.actions.map((action) => [action.name, action]));
    for (const action of oneSided) this.#actions.set(action.name, action);
    this.#ids = identities(voters, { symmetric: true }).members;
    this.#state = this.#model.initial[0] as State;
  }

  /** What went wrong first, and after which steps; undefined while every step was one of the model. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** How often each action was taken. */
  get taken(): ReadonlyMap<string, number> {
    return this.#taken;
  }

  /** How many states the invariants have judged. */
  get judged(): number {
    return this.#judged;
  }

  /** The steps of one event. */
  walk(steps: readonly TracedAction[]): void {
    if (this.#failure !== undefined) return;
    for (const step of steps) {
      this.#step(step);
      if (this.#failure !== undefined) return;
    }
    this.compare();
  }

  /** The model's state must be the ensemble's. */
  compare(): void {
    if (this.#failure !== undefined) return;
    const model = this.#ofModel();
    const ensemble = this.#ofEnsemble();
    for (const [variable, value] of model) {
      if (ensemble.get(variable) === value) continue;
      return this.#fail(`${variable} is ${ensemble.get(variable)}, but in the model ${value}`);
    }
  }

  /** Every invariant of the model in the present state, while histories are short: TotalOrder takes their length to the fourth. */
  checkInvariants(): void {
    if (this.#failure !== undefined) return;
    if (this.#ids.some((id) => this.#state.history[id].length > judgedMax)) return;
    this.#judged++;
    for (const invariant of this.#model.invariants ?? []) {
      if (judgeState(invariant, this.#state as Now<Zab>) === false)
        return this.#fail(`${invariant.name} is violated`);
    }
  }

  #step(step: TracedAction): void {
    const [traced, ...ids] = step;
    const parameters = ids.map((id) => this.#ids[id] as Server);
    this.#answerOracle(step);
    const elected = traced === "UpdateLeader" && this.#state.leaderOracle === parameters[0];
    const name = elected ? "FollowLeader" : traced;
    const text = `${name}(${parameters.map(nameOf).join(", ")})`;
    this.#recent.push(text);
    if (this.#recent.length > 12) this.#recent.shift();
    const action = this.#actions.get(name) as Action<Zab>;
    const next = take(action, this.#state as Zab, parameters as readonly Value[]);
    if (next === undefined) return this.#fail(`${text} is not enabled`);
    this.#state = next;
    this.#taken.set(name, (this.#taken.get(name) ?? 0) + 1);
    if (name === "LeaderProcessRequest") this.#learnValue(ids[0] as number, parameters[0] as Server);
  }

  /** The oracle is the environment's: it may name anyone, and names the server that this step needs. */
  #answerOracle([name, first]: TracedAction): void {
    let oracle = this.#state.leaderOracle;
    if (name === "ConnectAndFollowerSendCEPOCH") oracle = this.#ids[first as number] as Server;
    if (name === "FollowLeader" && (oracle === null || oracle === this.#ids[first as number])) {
      oracle = this.#ids.find((id) => id !== this.#ids[first as number]) ?? null;
    }
    if (oracle !== this.#state.leaderOracle) this.#state = { ...this.#state, leaderOracle: oracle };
  }

  /** The model numbers requests; the transaction at this place in the leader's log is the one that it numbered. */
  #learnValue(id: number, leader: Server): void {
    const history = this.#state.history[leader];
    const logged = this.#server(id).zab.history[history.length - 1];
    const value = history.at(-1)?.value;
    if (logged === undefined || value === undefined) return this.#fail("a request that is not in the log");
    this.#values.set(logged, value);
  }

  #server(id: number): EmbeddedServer {
    return this.#ensemble.servers[id] as EmbeddedServer;
  }

  #fail(text: string): void {
    const at = (this.#ensemble.world.now() / 1e9).toFixed(6);
    this.#failure = `at ${at} s: ${text}\nafter ${this.#recent.join(", ")}`;
  }

  // The model's state, as texts by variable

  #ofModel(): Map<string, string> {
    const texts = new Map<string, string>();
    const state = this.#state;
    for (const s of this.#ids) {
      const established = state.role[s] === "LEADING" && state.zabState[s] !== "DISCOVERY";
      const put = (variable: string, value: Value): void => {
        texts.set(`${variable}[${nameOf(s)}]`, canonical(value));
      };
      put("role", state.role[s]);
      put("zabState", state.zabState[s]);
      put("acceptedEpoch", state.acceptedEpoch[s]);
      put("currentEpoch", state.currentEpoch[s]);
      put("history", this.#texts.ofModel(state.history[s]));
      if (established)
        put(
          "ackSid",
          state.history[s].map(({ ackSid }) => ackSid),
        );
      put("lastCommitted", state.lastCommitted[s] as unknown as Value);
      put("learners", state.learners[s]);
      put("cepochRecv", state.cepochRecv[s]);
      put(
        "ackeRecv",
        state.ackeRecv[s].map((entry) => ({ ...entry, peerHistory: this.#texts.ofModel(entry.peerHistory) })),
      );
      put("ackldRecv", state.ackldRecv[s]);
      put("sendCounter", state.sendCounter[s]);
      put("connectInfo", state.connectInfo[s]);
      for (const to of this.#ids)
        put(
          `msgs to ${nameOf(to)}`,
          state.msgs[s][to].map((message) => this.#plain(message)),
        );
    }
    return texts;
  }

  // The ensemble's, in the same form

  #ofEnsemble(): Map<string, string> {
    const texts = new Map<string, string>();
    for (const [id, s] of this.#ids.entries()) {
      const { zab } = this.#server(id);
      const established = zab.role === "LEADING" && zab.zabState !== "DISCOVERY";
      const put = (variable: string, value: Value): void => {
        texts.set(`${variable}[${nameOf(s)}]`, canonical(value));
      };
      put("role", zab.role);
      put("zabState", zab.zabState);
      put("acceptedEpoch", zab.acceptedEpoch);
      put("currentEpoch", zab.currentEpoch);
      put("history", this.#history(zab.captured));
      if (established) put("ackSid", this.#ackSids(id));
      const committed = lastZxid({ log: zab.history, length: zab.lastCommitted });
      put("lastCommitted", { index: zab.lastCommitted, zxid: pair(committed) });
      put("learners", set([...zab.learners].map((learner) => this.#id(learner))));
      const entries = <E>(book: ReadonlyMap<number, E>, of: (entry: E) => Value): Value =>
        set([...book].map(([sid, entry]) => ({ sid: this.#id(sid), ...(of(entry) as object) })));
      put(
        "cepochRecv",
        entries(zab.cepochRecv, (entry) => ({ ...entry })),
      );
      put(
        "ackeRecv",
        entries(zab.ackeRecv, (entry) => ({ ...entry, peerHistory: this.#history(entry.peerHistory) })),
      );
      put(
        "ackldRecv",
        entries(zab.ackldRecv, (entry) => ({ ...entry })),
      );
      put("sendCounter", zab.sendCounter);
      put("connectInfo", zab.connectInfo === undefined ? null : this.#id(zab.connectInfo));
      for (const [to, name] of this.#ids.entries()) put(`msgs to ${nameOf(name)}`, this.#channel(id, to));
    }
    return texts;
  }

  #id(id: number): Server {
    return this.#ids[id] as Server;
  }

  #ackSids(leader: number): Value {
    const { history, ackIndex } = this.#server(leader).zab;
    return history.map((_, index) =>
      set(this.#ids.filter((_id, sid) => sid === leader || (ackIndex.get(sid) ?? 0) > index)),
    );
  }

  #history(captured: Captured): Value {
    return this.#texts.ofEnsemble(captured, (logged) => this.#value(logged));
  }

  /** Histories go as texts, without `ackSid`. */
  #plain(message: Message): Value {
    if (message.mtype !== "ACKEPOCH" && message.mtype !== "NEWLEADER") return message as unknown as Value;
    return { mtype: message.mtype, mepoch: message.mepoch, mhistory: this.#texts.ofModel(message.mhistory) };
  }

  #value(logged: Logged): Value {
    return this.#values.get(logged) ?? "unknown";
  }

  #channel(from: number, to: number): Value {
    const messages: Value[] = [];
    for (const link of this.#ensemble.links) {
      if (link.leader.id === from && link.learner.id === to) {
        for (const message of toLearner(link)) messages.push(...this.#messages(message));
      }
      if (link.leader.id === to && link.learner.id === from) {
        for (const message of [...link.deferred, ...link.toLeader.contents]) {
          messages.push(...this.#messages(message));
        }
      }
    }
    return messages;
  }

  /** A message as those of the specification that it stands for: none, one or several. */
  #messages(message: LinkMessage): Value[] {
    switch (message.type) {
      case "CEPOCH":
      case "NEWEPOCH":
        return [{ mtype: message.type, mepoch: message.epoch }];
      case "ACKEPOCH":
      case "NEWLEADER":
        return [{ mtype: message.type, mepoch: message.epoch, mhistory: this.#history(message.history) }];
      case "ACKLD":
      case "COMMITLD":
        return [{ mtype: message.type, mzxid: pair(message.zxid) }];
      case "PROPOSE":
        return message.transactions.map((logged) => ({
          mtype: "PROPOSE",
          mzxid: pair(logged.zxid),
          mdata: this.#value(logged),
        }));
      case "ACK":
      case "COMMIT":
        return message.transactions.map(({ zxid }) => ({ mtype: message.type, mzxid: pair(zxid) }));
      default:
        return [];
    }
  }
}

function toLearner(link: LearnerLink): readonly LinkMessage[] {
  const processing = link.processing === undefined ? [] : [link.processing];
  return [...processing, ...link.inbox, ...link.toLearner.contents];
}

function pair(zxid: number): Value {
  return [epochOf(zxid), counterOf(zxid)];
}

function set(elements: readonly Value[]): Value {
  return new FiniteSet(elements);
}

/** Histories as texts without `ackSid`. Most of them are compared again and again, so their texts are kept. */
class HistoryTexts {
  readonly #ofModel: WeakMap<History, string> = new WeakMap();
  readonly #ofTransaction: WeakMap<object, string> = new WeakMap();
  readonly #ofLog: WeakMap<readonly Logged[], { length: number; text: string }> = new WeakMap();

  ofModel(history: History): string {
    let text = this.#ofModel.get(history);
    if (text === undefined) {
      text = history.map((transaction) => this.#transaction(transaction)).join("");
      this.#ofModel.set(history, text);
    }
    return text;
  }

  ofEnsemble({ log, length }: Captured, value: (logged: Logged) => Value): string {
    let known = this.#ofLog.get(log);
    if (known === undefined || known.length > length) known = { length: 0, text: "" };
    let { text } = known;
    for (const logged of log.slice(known.length, length)) {
      const { zxid } = logged;
      text += transactionText(epochOf(zxid), counterOf(zxid), String(value(logged)), epochOf(zxid));
    }
    this.#ofLog.set(log, { length, text });
    return text;
  }

  #transaction(transaction: History[number]): string {
    let text = this.#ofTransaction.get(transaction);
    if (text === undefined) {
      const { zxid, value, epoch } = transaction;
      text = transactionText(zxid[0], zxid[1], String(value), epoch);
      this.#ofTransaction.set(transaction, text);
    }
    return text;
  }
}

function transactionText(zxidEpoch: number, counter: number, value: string, epoch: number): string {
  return `(${zxidEpoch},${counter}) ${value} in ${epoch}; `;
}
