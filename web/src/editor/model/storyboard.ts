import { isFields } from '../../product/product';

/** A small picture of the show. */
export interface Tile {
  readonly atMs: number;
  readonly url: string;
  readonly x: number;
  readonly y: number;
}

/** The small pictures of a show, in show time. */
export interface Board {
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly Tile[];
  readonly complete: boolean;
}

export const noBoard: Board = { width: 192, height: 108, tiles: [], complete: false };

/** Reads storyboard.json; base is its own address. */
export function readBoard(v: unknown, base: string): Board {
  if (!isFields(v) || !isFields(v.tile) || !Array.isArray(v.sheets)) return noBoard;
  const [width, height, columns] = [Number(v.tile.width), Number(v.tile.height), Number(v.columns)];
  if (!(width > 0 && height > 0 && columns > 0)) return noBoard;
  const tiles = v.sheets.flatMap((s: unknown): Tile[] => {
    if (!isFields(s) || typeof s.url !== 'string' || !Array.isArray(s.tiles_ms)) return [];
    const url = new URL(s.url, base).href;
    return s.tiles_ms.map((ms: unknown, n) => ({ atMs: Number(ms), url, x: (n % columns) * width, y: Math.floor(n / columns) * height }));
  });
  return { width, height, tiles, complete: v.complete === true };
}

/** The picture that is shown at an instant. */
export function tileAt(tiles: readonly Tile[], ms: number): Tile | null {
  let [low, high] = [0, tiles.length - 1];
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if ((tiles[mid]?.atMs ?? Infinity) <= ms) low = mid;
    else high = mid - 1;
  }
  return tiles[low] ?? null;
}
