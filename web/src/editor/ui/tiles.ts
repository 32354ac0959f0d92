import type { Tile } from '../model/storyboard';

const most = 40; // sheets kept: 80 MB decoded
const againMs = 10_000;

/** The sheets of the storyboard, fetched when they come into sight, the least used forgotten. */
export class Sheets {
  private readonly images = new Map<string, HTMLImageElement>();
  private readonly failed = new Map<string, number>();

  constructor(private readonly onLoad: () => void) {}

  /** The sheet of a tile once it is there. */
  of(tile: Tile): HTMLImageElement | null {
    const known = this.images.get(tile.url);
    if (known) {
      this.images.delete(tile.url);
      this.images.set(tile.url, known);
      return known.complete && known.naturalWidth > 0 ? known : null;
    }
    if (performance.now() - (this.failed.get(tile.url) ?? -againMs) >= againMs) this.fetch(tile.url);
    return null;
  }

  private fetch(url: string): void {
    const image = new Image();
    image.onload = this.onLoad;
    image.onerror = () => {
      this.images.delete(url);
      this.failed.set(url, performance.now());
    };
    image.src = url;
    this.images.set(url, image);
    const oldest = this.images.keys().next().value;
    if (this.images.size > most && oldest !== undefined) this.images.delete(oldest);
  }
}
