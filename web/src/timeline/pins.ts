import type { Product } from '../product/product';

/** A product on the picture from one instant of the show to another. */
export interface Pin {
  readonly id: string;
  readonly productId: string;
  readonly product: Product | null; // null while only a playlist has told of the pin
  readonly featured: boolean;
  readonly startMs: number;
  readonly endMs: number | null; // null while it is pinned
}

export interface VisiblePins {
  readonly pins: readonly Pin[]; // in the order they were pinned
  readonly featured: Pin | null; // the one that is shown large
}

/** The order of the show. Pins given for one instant keep the order of their storing, which is the order handed in. */
export function byStart(pins: readonly Pin[]): Pin[] {
  return [...pins].sort((a, b) => a.startMs - b.startMs);
}

/**
 * What is on the picture at an instant of the show. It depends on nothing else, so that playing, seeking and replaying
 * agree. The newest pin that was given the featured place has it; when none has, the newest pin does.
 */
export function visiblePins(pins: readonly Pin[], showMs: number): VisiblePins {
  const active = byStart(pins).filter((p) => p.startMs <= showMs && (p.endMs === null || showMs < p.endMs));
  return { pins: active, featured: last(active.filter((p) => p.featured)) ?? last(active) };
}

function last(pins: readonly Pin[]): Pin | null {
  return pins[pins.length - 1] ?? null;
}
