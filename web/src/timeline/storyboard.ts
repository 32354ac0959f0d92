/** A small picture of an instant: a tile of a sheet. */
export interface Tile {
  readonly startMs: number; // in play time
  readonly endMs: number;
  readonly url: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const line = /^(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})\s+-->\s+(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})/;
const target = /^(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/;

/** Reads WebVTT whose cues name tiles. */
export function readStoryboard(vtt: string, base: string): Tile[] {
  const tiles: Tile[] = [];
  let span: { startMs: number; endMs: number } | null = null;
  for (const l of vtt.split(/\r?\n/)) {
    const time = line.exec(l);
    const tile = span && target.exec(l.trim());
    if (time) span = { startMs: ms(time.slice(1, 5)), endMs: ms(time.slice(5, 9)) };
    else if (span && tile) {
      const [, name = '', x, y, width, height] = tile;
      tiles.push({ ...span, url: new URL(name, base).href, x: Number(x), y: Number(y), width: Number(width), height: Number(height) });
      span = null;
    }
  }
  return tiles;
}

function ms([h, m, s, f]: readonly (string | undefined)[]): number {
  return ((Number(h ?? 0) * 60 + Number(m)) * 60 + Number(s)) * 1000 + Number(f);
}

/** The tile of an instant; tiles are in order. */
export function tileAt(tiles: readonly Tile[], atMs: number): Tile | null {
  let [low, high] = [0, tiles.length - 1];
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if ((tiles[mid]?.startMs ?? Infinity) <= atMs) low = mid;
    else high = mid - 1;
  }
  return tiles[low] ?? null;
}
