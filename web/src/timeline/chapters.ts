import { isFields, type Product } from '../product/product';
import { byStart, type Pin } from './pins';
import type { PlayMap } from './play-map';

/** An interval of the media in which a product was on the picture. */
export interface Chapter {
  readonly id: string;
  readonly title: string; // '' where none is known
  readonly productId: string;
  readonly product: Product | null;
  readonly startMs: number; // in play time, as the position of the player
  readonly endMs: number;
}

/** The chapters of pins as they lie: what a show on air has, and one whose chapters cannot be had. */
export function chaptersOf(pins: readonly Pin[], durationMs: number, map: PlayMap): Chapter[] {
  return byStart(pins)
    .map((pin) => ({
      id: pin.id,
      title: pin.product?.title ?? '',
      productId: pin.productId,
      product: pin.product,
      startMs: Math.max(0, map.toPlay(pin.startMs)),
      endMs: Math.min(pin.endMs === null ? durationMs : map.toPlay(pin.endMs), durationMs),
    }))
    .filter((c) => c.endMs > c.startMs);
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');

/** Reads the chapters of a replay, or of a clip, as the server tells them. */
export function readChapters(v: unknown): Chapter[] {
  const list = isFields(v) ? v.chapters : null;
  if (!Array.isArray(list)) return [];
  return list.flatMap((c: unknown) => {
    if (!isFields(c) || typeof c.id !== 'string') return [];
    const startMs = typeof c.play_from_ms === 'number' ? c.play_from_ms : c.from_ms;
    const endMs = typeof c.play_to_ms === 'number' ? c.play_to_ms : c.to_ms;
    if (typeof startMs !== 'number' || typeof endMs !== 'number' || endMs <= startMs) return [];
    const productId = isFields(c.product) ? text(c.product.id) : '';
    return [{ id: c.id, title: text(c.title), productId, product: null, startMs, endMs }];
  });
}

/** The chapter at an instant; where several overlap, the newest. */
export function chapterAt(chapters: readonly Chapter[], ms: number): Chapter | null {
  const here = chapters.filter((c) => c.startMs <= ms && ms < c.endMs);
  return here[here.length - 1] ?? null;
}
