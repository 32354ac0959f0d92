import { isFields } from '../product/product';
import type { EditOp, Entry } from './model/history';
import { readBoard, type Board } from './model/storyboard';
import { readWave, type Signals, type Wave } from './model/curve';
import * as read from './wire';
import type { Chapter, Clip, Highlight, Replay, Session, ShowFacts } from './wire';

/** What was wrong with one field of a request. */
export interface FieldError {
  readonly field: string; // from_ms, title ...
  readonly message: string;
}

/** A request that was refused or never reached the server: status 0. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail = '',
    readonly fields: readonly FieldError[] = [],
    /** The revision now, where an edit came late. */
    readonly revision: number | null = null,
  ) {
    super(detail === '' ? `status ${status}` : detail);
  }

  /** Nobody knows whether the server did it. */
  get unknown(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

const timeoutMs = 20_000;

interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly key?: string; // Idempotency-Key
}

/** What a clip is asked for with. */
export type ClipWish = Readonly<Record<string, unknown>>;

/** The server's API as far as the editor of one show uses it, with the session cookie. Everything throws ApiError. */
export class EditorApi {
  private readonly path: string;

  constructor(
    readonly show: string,
    private readonly lang: () => string,
  ) {
    this.path = `/api/v1/shows/${encodeURIComponent(show)}`;
  }

  async session(): Promise<Session> {
    return this.read(await this.ask('/api/v1/session'), read.readSession);
  }

  async signIn(name: string, password: string): Promise<Session> {
    return this.read(await this.ask('/api/v1/session', { method: 'POST', body: { name, password } }), read.readSession);
  }

  async signOut(): Promise<void> {
    await this.ask('/api/v1/session', { method: 'DELETE' });
  }

  async facts(): Promise<ShowFacts> {
    return this.read(await this.ask(this.path), read.readFacts);
  }

  /** The store of a room, '' where the room is gone. */
  async storeOf(room: string): Promise<string> {
    try {
      const v = await this.ask(`/api/v1/rooms/${encodeURIComponent(room)}`);
      return isFields(v) && typeof v.store_id === 'string' ? v.store_id : '';
    } catch (why) {
      if (why instanceof ApiError && why.status === 404) return '';
      throw why;
    }
  }

  async replay(): Promise<Replay> {
    return this.read(await this.ask(`${this.path}/replay`), read.readReplay);
  }

  async chapters(): Promise<Chapter[]> {
    return read.readChapters(await this.ask(`${this.path}/replay/chapters`), location.href);
  }

  /** The newest entries of the log, oldest first. */
  async edits(): Promise<Entry[]> {
    return read.readEntries(await this.ask(`${this.path}/replay/edits?limit=100`)).reverse();
  }

  async edit(op: EditOp, revision: number): Promise<Replay> {
    return this.read(await this.ask(`${this.path}/replay/edits`, { method: 'POST', body: { revision, ...op } }), read.readReplay);
  }

  async move(way: 'undo' | 'redo', revision: number): Promise<Replay> {
    return this.read(await this.ask(`${this.path}/replay/edits/${way}`, { method: 'POST', body: { revision } }), read.readReplay);
  }

  async highlights(): Promise<Highlight[]> {
    return read.readHighlights(await this.ask(`${this.path}/highlights`));
  }

  async decide(id: string, change: Readonly<Record<string, unknown>>): Promise<Highlight> {
    return this.read(await this.ask(`${this.path}/highlights/${encodeURIComponent(id)}`, { method: 'PATCH', body: change }), read.readHighlight);
  }

  async signals(stepMs: number): Promise<Signals> {
    return this.read(await this.ask(`${this.path}/signals?step_ms=${stepMs}`), read.readSignals);
  }

  async timeline(): Promise<unknown> {
    return this.ask(`/replay/${encodeURIComponent(this.show)}/timeline.json`);
  }

  async board(): Promise<Board> {
    const url = new URL(`/replay/${encodeURIComponent(this.show)}/whole/storyboard.json`, location.href).href;
    return readBoard(await this.ask(url), url);
  }

  async wave(): Promise<Wave | null> {
    const res = await this.send(`/replay/${encodeURIComponent(this.show)}/whole/waveform.dat`, {});
    return readWave(await res.arrayBuffer());
  }

  async clips(): Promise<Clip[]> {
    return read.readClips(await this.ask(`${this.path}/clips?limit=100`));
  }

  async makeClip(wish: ClipWish, key: string): Promise<Clip> {
    return this.read(await this.ask(`${this.path}/clips`, { method: 'POST', body: wish, key }), read.readClip);
  }

  async makeChapterClips(wish: ClipWish, key: string): Promise<Clip[]> {
    return read.readClips(await this.ask(`${this.path}/chapter-clips`, { method: 'POST', body: wish, key }));
  }

  async clipAct(id: string, act: 'cancel' | 'retry'): Promise<Clip> {
    return this.read(await this.ask(`${this.path}/clips/${encodeURIComponent(id)}/${act}`, { method: 'POST' }), read.readClip);
  }

  async deleteClip(id: string): Promise<void> {
    await this.ask(`${this.path}/clips/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  get clipEvents(): string {
    return `${this.path}/clips/events`;
  }

  private read<T>(v: unknown, reader: (v: unknown) => T | null): T {
    const out = reader(v);
    if (out === null) throw new ApiError(502);
    return out;
  }

  private async ask(path: string, how: Ask = {}): Promise<unknown> {
    const res = await this.send(path, how);
    if (res.status === 204) return null;
    return res.json().catch(() => {
      throw new ApiError(0);
    });
  }

  private async send(path: string, { method = 'GET', body, key }: Ask): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      const res = await fetch(path, {
        method,
        signal: abort.signal,
        credentials: 'same-origin',
        keepalive: method !== 'GET', // it is carried out even if the page is left meanwhile
        headers: {
          Accept: 'application/json',
          'Accept-Language': this.lang(),
          'X-Vitrine-Page': '1',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(key === undefined ? {} : { 'Idempotency-Key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!res.ok) throw await refused(res);
      return res;
    } catch (why) {
      throw why instanceof ApiError ? why : new ApiError(0);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Reads RFC 9457 problem details. */
async function refused(res: Response): Promise<ApiError> {
  const body: unknown = await res.json().catch(() => null);
  if (!isFields(body)) return new ApiError(res.status);
  const detail = typeof body.detail === 'string' ? body.detail : '';
  let revision: number | null = null;
  const fields: FieldError[] = [];
  for (const e of Array.isArray(body.errors) ? (body.errors as unknown[]) : []) {
    if (!isFields(e) || typeof e.location !== 'string') continue;
    if (e.location === 'body.revision' && res.status === 409) revision = Number(e.value);
    else fields.push({ field: e.location.replace(/^body\./, ''), message: typeof e.message === 'string' ? e.message : detail });
  }
  return new ApiError(res.status, detail, fields, revision);
}
