import { readEpochs, readEvent, type TimelineEvent } from '../channel/frames';
import { webLink } from '../product/links';
import { isFields, readProducts, type Product } from '../product/product';
import { readChapters, type Chapter } from '../timeline/chapters';
import type { Epoch } from '../timeline/epochs';
import { PlayMap } from '../timeline/play-map';
import { getJSON } from '../viewer/room-api';

/** What belongs to a clip: its media, and what stood on the picture. Times are show time but for the chapters'. */
export interface Clip {
  readonly id: string;
  readonly showId: string;
  readonly roomId: string;
  readonly title: string;
  readonly styled: boolean; // its products are drawn into the picture
  readonly fromMs: number;
  readonly toMs: number;
  readonly hls: { readonly url: string; readonly map: PlayMap } | null;
  readonly mp4: { readonly url: string; readonly map: PlayMap } | null;
  readonly poster: string;
  readonly events: readonly TimelineEvent[];
  readonly epochs: readonly Epoch[];
  readonly chapters: readonly Chapter[]; // in clip time
  readonly products: readonly Product[];
}

/** The server knows no such clip, or has it no more. */
export class UnknownClip extends Error {}

/** Reads a clip. Throws UnknownClip, or anything else for an answer that cannot be used. */
export async function fetchClip(id: string, base: string): Promise<Clip> {
  const { status, body } = await getJSON(`/c/${encodeURIComponent(id)}/clip.json`);
  if (status === 404 || status === 410) throw new UnknownClip(id);
  const clip = readClip(body, id, base);
  if (!clip) throw new Error(`the clip cannot be read: status ${status}`);
  return clip;
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');

export function readClip(v: unknown, id: string, base: string): Clip | null {
  if (!isFields(v) || typeof v.from_ms !== 'number' || typeof v.to_ms !== 'number' || v.to_ms <= v.from_ms) return null;
  const hls = webLink(v.hls, base);
  const mp4 = webLink(v.mp4, base);
  const intro = typeof v.mp4_from_ms === 'number' ? v.mp4_from_ms : 0;
  const before = typeof v.hls_from_ms === 'number' ? v.hls_from_ms : 0; // its playlist begins with a whole segment
  return {
    id,
    showId: text(v.show),
    roomId: text(v.room),
    title: text(v.title),
    styled: v.kind === 'styled',
    fromMs: v.from_ms,
    toMs: v.to_ms,
    hls: hls === null ? null : { url: hls, map: new PlayMap([{ fromMs: v.from_ms - before, toMs: v.to_ms }]) },
    mp4: mp4 === null ? null : { url: mp4, map: new PlayMap([{ fromMs: v.from_ms - intro, toMs: v.to_ms }]) },
    poster: webLink(v.poster, base) ?? '',
    events: Array.isArray(v.events) ? v.events.map(readEvent).filter((e) => e !== null) : [],
    epochs: readEpochs(v.epochs),
    chapters: readChapters(v),
    products: readProducts(v.products, base),
  };
}
