import type { Clock } from "../shared/clock.ts";
import type { ExecutorId } from "../shared/ids.ts";
import type { Lane } from "../shared/lane.ts";
import { LANGUAGE_IDS, LanguageId, LANGUAGES } from "../shared/language.ts";
import type { QueueId } from "../shared/queue.ts";
import { decodeJson } from "../shared/nats.ts";
import { Presence } from "../shared/protocol.ts";
import { createRecent, type Evicted } from "../shared/recent.ts";
import { PRESENCE_INTERVAL_MS, PRESENCE_TTL_MS, subjects, type Topology } from "../shared/topology.ts";
import type { Link } from "./broker/link.ts";

export interface LanguageOffer {
  readonly id: LanguageId;
  readonly name: string;
  /** In some live executor, or in one heard of within the last minutes. */
  readonly offered: boolean;
  /** Toolchain version lines of the executors that offer it, each once. */
  readonly versions: readonly string[];
  /** Why executors do not offer it and how to mend it, each once; empty when none said. */
  readonly reasons: readonly string[];
}

export interface ExecutorView extends Presence {
  /** When this server last heard of it, milliseconds since 1970. */
  readonly heardAtMs: number;
}

/** What this server hears of the executors. */
export interface Fleet {
  executors(): ExecutorView[];
  /** An executor that was heard of within the last minutes, gone or not. */
  heardOf(executor: ExecutorId): ExecutorView | undefined;
  languages(): LanguageOffer[];
  /** Slots of the live executors that offer it. */
  slots(queue: QueueId): number;
  /** Why no live executor takes jobs of a queue's lane, in words; undefined when one does, or nobody can tell yet. */
  whyNot(place: { readonly language: QueueId; readonly lane: Lane }): string | undefined;
  /** Undefined when the language may be submitted, otherwise why not. */
  notOffered(language: LanguageId): string | undefined;
}

/** A language whose executors have gone is still taken for so long, milliseconds: they may be restarting. */
const REMEMBER_MS = 10 * 60_000;
/**
 * Nothing is refused before this server has listened for so long without a break, milliseconds: one that has just
 * started, or was cut off, does not know its executors yet. The first where executors say why not; the second where
 * none says anything, and those that could may be starting, too.
 */
const HEAR_REASONS_MS = PRESENCE_INTERVAL_MS + 1_000;
const HEAR_NOTHING_MS = 15_000;

export function createFleet(deps: {
  readonly link: Link;
  readonly topology: Topology;
  readonly clock: Clock;
  readonly evicted: Evicted;
  /** An executor was heard. */
  readonly onPresence?: ((presence: Presence) => void) | undefined;
}): Fleet {
  const { link, clock } = deps;
  const heard = new Map<ExecutorId, ExecutorView>();
  /** Those that have gone, too, for a while. */
  const known = createRecent<ExecutorId, ExecutorView>("rememberedExecutors", deps.evicted);
  const lastOffered = new Map<QueueId, number>();
  let connectedAtMs = Infinity;
  link.onUp(() => {
    connectedAtMs = clock.now();
    return Promise.resolve();
  });
  const listenedMs = (): number => (link.connected() ? clock.now() - connectedAtMs : 0);

  link.subscribe(subjects.allPresence(deps.topology), (message) => {
    const presence = decodeJson(Presence, message.data);
    if (presence === undefined || !message.subject.endsWith(`.${presence.executor}`)) return;
    const now = clock.now();
    const view = { ...presence, heardAtMs: now };
    heard.set(presence.executor, view);
    known.set(presence.executor, view);
    // The one heard of longest ago comes first.
    for (const [id, { heardAtMs }] of known.entries()) {
      if (heardAtMs > now - REMEMBER_MS) break;
      known.delete(id);
    }
    for (const { id } of presence.languages) lastOffered.set(id, now);
    deps.onPresence?.(presence);
  });

  function executors(): ExecutorView[] {
    const now = clock.now();
    for (const [id, { heardAtMs }] of heard) {
      // While NATS is away nobody can be heard: that says nothing about the executors.
      if (link.connected() && heardAtMs < now - PRESENCE_TTL_MS) heard.delete(id);
    }
    return [...heard.values()].toSorted((a, b) => a.executor.localeCompare(b.executor));
  }

  const isOffered = (language: LanguageId): boolean =>
    notTaken(language) === undefined && (lastOffered.get(language) ?? -Infinity) > clock.now() - REMEMBER_MS;

  /** Why there is no queue for it. */
  function notTaken(language: LanguageId): string | undefined {
    const { languages } = deps.topology;
    if (languages === undefined || languages.includes(language)) return undefined;
    return `this deployment takes only ${languages.join(", ")} (DOCKET_LANGUAGES)`;
  }

  function reasonsOf(language: LanguageId, all: readonly ExecutorView[]): string[] {
    const never = notTaken(language);
    if (never !== undefined) return [never];
    const reasons = all.flatMap((one) => one.notOffered.filter((not) => not.id === language));
    return [...new Set(reasons.map((not) => not.reason))];
  }

  return {
    executors,
    heardOf: (executor) => known.get(executor),
    slots: (queue) =>
      executors().reduce(
        (sum, one) => sum + (one.languages.some((language) => language.id === queue) ? one.slots : 0),
        0,
      ),
    whyNot({ language, lane }) {
      if (listenedMs() < HEAR_REASONS_MS) return undefined;
      const all = executors();
      const able = all.filter((one) => one.languages.some(({ id }) => id === language));
      if (able.length === 0) {
        const [reason] = all.flatMap((one) => one.notOffered.filter((not) => not.id === language));
        const needs = LanguageId.safeParse(language).data;
        const resource = needs === undefined ? undefined : LANGUAGES[needs].resource;
        const none =
          resource === undefined
            ? `no executor offers ${language}`
            : `no executor with a ${resource} is there for ${language}`;
        return `${none}${reason === undefined ? "" : `: ${reason.reason}`}`;
      }
      const taking = able.filter((one) => one.lanes.includes(lane));
      if (taking.length === 0) return `no executor that offers ${language} takes the lane ${lane}`;
      if (taking.some((one) => one.state === "ready")) return undefined;
      const [sick] = taking;
      return `no executor takes jobs of ${language} just now: ${sick?.reason ?? sick?.state ?? ""}`;
    },
    languages() {
      const all = executors();
      return LANGUAGE_IDS.map((id) => {
        const versions = all.flatMap((one) => one.languages.filter((language) => language.id === id));
        return {
          id,
          name: LANGUAGES[id].name,
          offered: isOffered(id),
          versions: [...new Set(versions.map((language) => language.version))],
          reasons: reasonsOf(id, all),
        };
      });
    },
    notOffered(language) {
      if (isOffered(language)) return undefined;
      const never = notTaken(language);
      if (never !== undefined) return `${LANGUAGES[language].name} is not on offer: ${never}.`;
      // It waits for the device, visibly: those that have one come and go.
      if (LANGUAGES[language].resource !== undefined) return undefined;
      const all = executors();
      // Nobody is there to say what is offered: it is stored, and judged when somebody comes.
      if (all.length === 0) return undefined;
      const [reason] = reasonsOf(language, all);
      if (listenedMs() < (reason === undefined ? HEAR_NOTHING_MS : HEAR_REASONS_MS)) return undefined;
      const offered = LANGUAGE_IDS.filter(isOffered);
      const why = reason === undefined ? "" : ` (${reason})`;
      const list = offered.length > 0 ? offered.join(", ") : "nothing yet";
      return `No executor offers ${LANGUAGES[language].name}${why}. On offer: ${list}.`;
    },
  };
}
