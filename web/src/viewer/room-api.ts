import { readEpochs, readEvent, readRoom, readShow, type RoomView, type ShowView, type TimelineEvent } from '../channel/frames';
import { webLink } from '../product/links';
import { isFields, readProducts, type Product } from '../product/product';
import { readChapters, type Chapter } from '../timeline/chapters';
import type { Epoch } from '../timeline/epochs';
import { PlayMap, readStretches } from '../timeline/play-map';
import { readStoryboard, type Tile } from '../timeline/storyboard';

/** What anybody may know about a room. */
export interface RoomPage {
  readonly room: RoomView;
  readonly show: ShowView | null;
  readonly lastShow: ShowView | null; // the newest ended one that has a replay
  readonly nextShow: ShowView | null; // the earliest scheduled one
  readonly liveUrl: string;
  readonly dvrUrl: string | null; // the show on air from its beginning; null where it is not recorded
  readonly eventsUrl: string;
  readonly products: readonly Product[];
}

/** The timeline of a show as a file: what a replay needs beside its media. */
export interface Sidecar {
  readonly durationMs: number;
  readonly epochs: readonly Epoch[];
  readonly events: readonly TimelineEvent[];
  readonly map: PlayMap;
}

/** The server knows no such room. */
export class UnknownRoom extends Error {}

const timeoutMs = 15_000;

export async function getJSON(url: string): Promise<{ status: number; body: unknown }> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const res = await fetch(url, { signal: abort.signal, headers: { Accept: 'application/json' } });
    return { status: res.status, body: res.ok ? await res.json() : null };
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a room's public page. Throws UnknownRoom, or anything else for an answer that cannot be used. */
export async function fetchRoom(roomId: string, base: string): Promise<RoomPage> {
  const { status, body } = await getJSON(`/api/v1/rooms/${encodeURIComponent(roomId)}/public`);
  if (status === 404) throw new UnknownRoom(roomId);
  const page = readRoomPage(body, roomId, base);
  if (!page) throw new Error(`the room cannot be read: status ${status}`);
  return page;
}

export function readRoomPage(v: unknown, roomId: string, base: string): RoomPage | null {
  const room = isFields(v) ? readRoom(v.room) : null;
  if (!isFields(v) || !room) return null;
  const at = encodeURIComponent(roomId);
  return {
    room,
    show: readShow(v.show),
    lastShow: readShow(v.last_show),
    nextShow: readShow(v.next_show),
    liveUrl: webLink(v.live_url, base) ?? new URL(`/live/${at}/index.m3u8`, base).href,
    dvrUrl: webLink(v.dvr_url, base),
    eventsUrl: webLink(v.events_url, base) ?? new URL(`/live/${at}/events`, base).href,
    products: readProducts(v.products, base),
  };
}

export async function fetchSidecar(showId: string): Promise<Sidecar> {
  const { status, body } = await getJSON(`/replay/${encodeURIComponent(showId)}/timeline.json`);
  if (!isFields(body)) throw new Error(`the timeline cannot be read: status ${status}`);
  const events = Array.isArray(body.events) ? body.events.map(readEvent).filter((e) => e !== null) : [];
  return {
    durationMs: typeof body.duration_ms === 'number' ? body.duration_ms : 0,
    epochs: readEpochs(body.epochs),
    events,
    map: new PlayMap(readStretches(body.ranges), readStretches(body.cuts)),
  };
}

/** The chapters of a show, as the merchant left them. */
export async function fetchChapters(showId: string): Promise<Chapter[]> {
  const { status, body } = await getJSON(`/replay/${encodeURIComponent(showId)}/chapters.json`);
  if (!isFields(body)) throw new Error(`the chapters cannot be read: status ${status}`);
  return readChapters(body);
}

/** The small pictures of a show; none where the server makes none. */
export async function fetchStoryboard(showId: string): Promise<Tile[]> {
  const res = await fetch(`/replay/${encodeURIComponent(showId)}/storyboard.vtt`);
  return res.ok ? readStoryboard(await res.text(), res.url) : [];
}

export function replayUrl(showId: string): string {
  return `/replay/${encodeURIComponent(showId)}/index.m3u8`;
}

export function posterUrl(showId: string): string {
  return `/replay/${encodeURIComponent(showId)}/poster.jpg`;
}
