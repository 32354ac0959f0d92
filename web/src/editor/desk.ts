import { backoff } from '../channel/backoff';
import { ApiError, type EditorApi } from './api';
import { isOf, nextOf, type EditOp, type Entry, type Next } from './model/history';
import type { Chapter, Replay } from './wire';

/** What became of an edit that was asked for. */
export type Outcome =
  | { readonly done: true }
  | { readonly done: false; readonly overtaken: boolean; readonly by: string; readonly error: ApiError };

/** What the desk needs of the server. */
export type EditServer = Pick<EditorApi, 'replay' | 'chapters' | 'edits' | 'edit' | 'move'>;

type Step = EditOp | 'undo' | 'redo';

const tries = 5;
const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/**
 * What was made of a replay, and whoever changes it. Edits are sent one after the other, each on the revision that the one
 * before left. One whose answer never came is looked for in the log before it is sent again.
 */
export class Desk {
  replay: Replay | null = null;
  chapters: readonly Chapter[] = [];
  next: Next = { undo: null, redo: null };
  /** Something is being tried again because the server does not answer. */
  waiting = false;
  private log: Entry[] = [];
  private queue: Promise<unknown> = Promise.resolve();
  private running = 0;

  constructor(
    private readonly server: EditServer,
    private readonly onChange: () => void,
    /** Asks the person to sign in again; false when they do not. */
    private readonly signIn: () => Promise<boolean>,
    private readonly pause: (attempt: number) => Promise<void> = (n) => wait(backoff(n, Math.random, 500, 8_000)),
  ) {}

  /** Edits that are not answered yet. */
  isBusy(): boolean {
    return this.running > 0;
  }

  /** Reads everything anew. Throws ApiError. */
  async load(): Promise<void> {
    const [replay, chapters, log] = await Promise.all([this.server.replay(), this.server.chapters(), this.server.edits()]);
    Object.assign(this, { replay, chapters, log });
    this.next = nextOf(log);
    this.onChange();
  }

  /** Reads how long a show on air has become. */
  async grow(): Promise<void> {
    if (this.isBusy()) return;
    const [replay, chapters] = await Promise.all([this.server.replay(), this.server.chapters()]);
    if (this.isBusy()) return;
    if (replay.revision !== this.replay?.revision) return this.load();
    this.replay = replay;
    this.chapters = chapters;
    this.onChange();
  }

  /** Makes an edit, after those that were asked for before. It never throws. */
  edit(op: Step): Promise<Outcome> {
    this.running++;
    const turn = this.queue.then(() => this.carryOut(op));
    const settled = turn.finally(() => {
      this.running--;
      this.onChange();
    });
    this.queue = settled;
    this.onChange();
    return settled;
  }

  private async carryOut(op: Step): Promise<Outcome> {
    const revision = this.replay?.revision ?? 0;
    try {
      this.replay = await this.send(op, revision);
      await this.after();
      return { done: true };
    } catch (why) {
      const error = why instanceof ApiError ? why : new ApiError(0);
      if (error.revision === null) return { done: false, overtaken: false, by: '', error };
      await this.load().catch(() => undefined); // the edit has failed either way, and says so
      return { done: false, overtaken: true, by: this.log[this.log.length - 1]?.by ?? '', error };
    } finally {
      this.waiting = false;
    }
  }

  /** What an edit changes beside the replay. Without it the edit is made all the same. */
  private async after(): Promise<void> {
    this.onChange();
    await this.patiently(async () => {
      const [chapters, log] = await Promise.all([this.server.chapters(), this.server.edits()]);
      this.chapters = chapters;
      this.log = log;
      this.next = nextOf(log);
    }).catch(() => undefined);
  }

  private async send(op: Step, revision: number): Promise<Replay> {
    let lost = false; // an answer: the edit may stand in the log
    return this.patiently(async () => {
      if (lost && (await this.isMade(op, revision))) return this.server.replay();
      try {
        return await (typeof op === 'string' ? this.server.move(op, revision) : this.server.edit(op, revision));
      } catch (why) {
        lost ||= why instanceof ApiError && why.unknown;
        throw why;
      }
    });
  }

  private async isMade(op: Step, revision: number): Promise<boolean> {
    const entry = (await this.server.edits()).find((e) => e.revision === revision + 1);
    return entry !== undefined && isOf(entry, typeof op === 'string' ? { kind: op } : op);
  }

  /** Tries again while the server cannot be reached, and after signing in. Throws ApiError. */
  private async patiently<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        const out = await act();
        this.waiting = false;
        return out;
      } catch (why) {
        if (!(why instanceof ApiError) || attempt >= tries) throw why;
        if (why.status === 401) {
          if (!(await this.signIn())) throw why;
        } else if (why.unknown) {
          this.waiting = true;
          this.onChange();
          await this.pause(attempt);
        } else {
          throw why;
        }
      }
    }
  }
}
