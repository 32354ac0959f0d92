import { readPin, readShow, type ShowView } from '../channel/frames';
import { webLink } from '../product/links';
import { isFields, readProducts, type Product } from '../product/product';
import type { Pin } from '../timeline/pins';
import { pageClock } from './publish/control';
import { problemText } from './whip/client';

export type Severity = 'critical' | 'warning' | 'info';

/** Something the anchor should know, and what to do about it. */
export interface Warning {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
}

/** Who publishes to the room, as the server sees it. */
export interface PublisherView {
  readonly protocol: string;
  readonly encoder: string;
  readonly connectedAt: string;
  readonly video: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly bitrateBps: number;
  readonly keyIntervalMs: number;
  readonly audio: string;
}

/** How the room stands, for whoever holds its stream key. */
export interface StudioView {
  readonly title: string;
  readonly state: 'idle' | 'live' | 'interrupted';
  readonly show: (ShowView & { readonly startedMs: number | null }) | null;
  readonly publisher: PublisherView | null;
  readonly warnings: readonly Warning[];
  readonly pins: readonly Pin[];
  readonly products: readonly Product[];
  readonly watchUrl: string | null;
  readonly studioUrl: string | null; // this page as the server would have it called
}

/** A request that was refused or never reached the server. status is 0 when there was no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail === '' ? `status ${status}` : detail);
  }
}

const timeoutMs = 10_000;

/** The server's API as far as an anchor may use it, with the stream key. */
export class StudioApi {
  private readonly path: string;

  constructor(
    room: string,
    private readonly base: string,
    private readonly key: () => string,
    private readonly lang: () => string,
  ) {
    this.path = `/api/v1/rooms/${encodeURIComponent(room)}`;
  }

  /** Throws ApiError: 401 for a wrong key, 404 for a room there is not. */
  async view(): Promise<StudioView> {
    const view = readStudio(await this.ask('GET', `${this.path}/studio`), this.base);
    if (!view) throw new ApiError(502, '');
    return view;
  }

  /** Pins a product on the picture that was captured at an instant of the server's clock. Throws ApiError. */
  async pin(productId: string, featured: boolean, serverMs: number): Promise<void> {
    await this.ask('POST', `${this.path}/pins`, { product_id: productId, featured, at: new Date(serverMs).toISOString() });
  }

  async unpin(pinId: string, serverMs: number): Promise<void> {
    const at = encodeURIComponent(new Date(serverMs).toISOString());
    await this.ask('DELETE', `${this.path}/pins/${encodeURIComponent(pinId)}?at=${at}`);
  }

  /** Ends the show, whoever publishes. */
  async end(): Promise<void> {
    await this.ask('POST', `${this.path}/end`);
  }

  /** The server's clock, with when it was asked and when it answered on the page's. */
  async time(): Promise<{ askedMs: number; answeredMs: number; serverMs: number }> {
    const askedMs = pageClock();
    const body = await this.ask('GET', '/api/v1/time');
    const answeredMs = pageClock();
    return { askedMs, answeredMs, serverMs: isFields(body) && typeof body.unix_ms === 'number' ? body.unix_ms : NaN };
  }

  private async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      const res = await fetch(path, {
        method,
        signal: abort.signal,
        cache: 'no-store',
        headers: {
          Accept: 'application/json',
          'Accept-Language': this.lang(),
          Authorization: `Bearer ${this.key()}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!res.ok) throw new ApiError(res.status, await problemText(res));
      return res.status === 204 ? null : await res.json();
    } catch (why) {
      throw why instanceof ApiError ? why : new ApiError(0, '');
    } finally {
      clearTimeout(timer);
    }
  }
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');
const number = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const list = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v : []);

function instant(v: unknown): number | null {
  const ms = typeof v === 'string' ? Date.parse(v) : NaN;
  return Number.isFinite(ms) ? ms : null;
}

export function readStudio(v: unknown, base: string): StudioView | null {
  if (!isFields(v) || !isFields(v.room)) return null;
  const { room } = v;
  const show = readShow(v.show);
  return {
    title: text(room.title),
    state: room.state === 'live' || room.state === 'interrupted' ? room.state : 'idle',
    show: show && { ...show, startedMs: isFields(v.show) ? instant(v.show.started_at) : null },
    publisher: readPublisher(v.publisher),
    warnings: list(v.warnings).flatMap((w) => readWarning(w) ?? []),
    pins: list(v.pins).flatMap((p) => readPin(p, base) ?? []),
    products: readProducts(v.products, base),
    watchUrl: webLink(v.watch_url, base),
    studioUrl: isFields(v.urls) ? webLink(v.urls.studio_url, base) : null,
  };
}

function readPublisher(v: unknown): PublisherView | null {
  if (!isFields(v) || text(v.protocol) === '') return null;
  return {
    protocol: text(v.protocol),
    encoder: text(v.encoder),
    connectedAt: text(v.connected_at),
    video: text(v.video),
    width: number(v.width),
    height: number(v.height),
    fps: number(v.fps),
    bitrateBps: number(v.bitrate_bps),
    keyIntervalMs: number(v.keyframe_interval_ms),
    audio: text(v.audio),
  };
}

function readWarning(v: unknown): Warning | null {
  if (!isFields(v) || text(v.message) === '') return null;
  const severity = v.severity === 'critical' || v.severity === 'info' ? v.severity : 'warning';
  return { code: text(v.code), severity, message: text(v.message), remedy: text(v.remedy) };
}
