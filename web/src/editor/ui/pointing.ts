import type { Lane } from './paint';

/** What fingers and mouse do to the axis; positions in pixels from its left. */
export interface Pointed {
  lane(y: number): Lane | null;
  seek(px: number): void;
  zoom(factor: number, px: number): void;
  span(fromPx: number, toPx: number): void;
  pick(px: number, lane: Lane | null): void;
}

const tapPx = 8;

/**
 * A mouse or pen drags the playhead, with Shift a stretch. A finger scrolls the axis (the browser does that) and taps to seek,
 * except on the ruler, where it drags the playhead. Two fingers zoom.
 */
export class Pointing {
  private drag: { id: number; fromPx: number; span: boolean } | null = null;
  private tap: { id: number; x: number; y: number } | null = null;
  private pinch = 0; // distance of two fingers

  constructor(
    private readonly node: HTMLElement,
    private readonly to: Pointed,
  ) {
    node.addEventListener('pointerdown', (e) => this.down(e));
    node.addEventListener('pointermove', (e) => this.move(e));
    node.addEventListener('pointerup', (e) => this.up(e));
    node.addEventListener('pointercancel', () => (this.drag = this.tap = null));
    node.addEventListener('dblclick', (e) => to.pick(this.at(e), to.lane(this.heightOf(e))));
    node.addEventListener('touchstart', (e) => this.touched(e), { passive: false });
    node.addEventListener('touchmove', (e) => this.pinched(e), { passive: false });
    node.addEventListener('touchend', () => (this.pinch = 0));
  }

  private at(e: { clientX: number }): number {
    return e.clientX - this.node.getBoundingClientRect().left;
  }

  private heightOf(e: { clientY: number }): number {
    return e.clientY - this.node.getBoundingClientRect().top;
  }

  private down(e: PointerEvent): void {
    if (e.button !== 0) return;
    if (e.pointerType === 'touch' && this.to.lane(this.heightOf(e)) !== 'ruler') {
      this.tap = { id: e.pointerId, x: e.clientX, y: e.clientY };
      return;
    }
    this.drag = { id: e.pointerId, fromPx: this.at(e), span: e.shiftKey };
    this.node.setPointerCapture(e.pointerId);
    if (!e.shiftKey) this.to.seek(this.at(e));
  }

  private move(e: PointerEvent): void {
    if (this.drag?.id !== e.pointerId || this.pinch > 0) return;
    if (this.drag.span) this.to.span(this.drag.fromPx, this.at(e));
    else this.to.seek(this.at(e));
  }

  private up(e: PointerEvent): void {
    const tapped = this.tap?.id === e.pointerId && Math.hypot(e.clientX - this.tap.x, e.clientY - this.tap.y) < tapPx;
    if (tapped && this.pinch === 0) this.to.seek(this.at(e));
    this.drag = this.tap = null;
  }

  private touched(e: TouchEvent): void {
    const [a] = [...e.touches];
    if (e.touches.length === 1 && a && this.to.lane(this.heightOf(a)) === 'ruler') e.preventDefault(); // no scrolling from here
    this.pinch = distance(e.touches);
    if (this.pinch > 0) this.drag = this.tap = null;
  }

  private pinched(e: TouchEvent): void {
    const now = distance(e.touches);
    if (now <= 0 || this.pinch <= 0) return;
    if (e.cancelable) e.preventDefault();
    const middle = [...e.touches].reduce((sum, t) => sum + t.clientX, 0) / e.touches.length;
    this.to.zoom(now / this.pinch, this.at({ clientX: middle }));
    this.pinch = now;
  }
}

function distance(touches: TouchList): number {
  const [a, b] = [touches[0], touches[1]];
  return touches.length === 2 && a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0;
}
