import { el, setAttr, setText, show } from '../../ui/dom';
import { signalNames } from '../model/curve';
import { choose, chosen, move, setIn, type Edge } from '../model/selection';
import { edges, snap } from '../model/snap';
import { lengthText, timecode } from '../model/timecode';
import * as look from '../model/view';
import type { I18n } from '../i18n';
import type { Actions, Shown, View } from './context';
import { Button } from './icons';
import { axisHeight, curveColours, laneAt, Painter } from './paint';
import { Pointing } from './pointing';
import { Sheets } from './tiles';

const snapPx = 9;
const zoomStep = 1.6;
const touch = matchMedia('(pointer: coarse)'); // no keys there, and no Shift

/** The one axis of everything that has a time: drawn on a canvas, scrolled and zoomed, with handles at the selection. */
export class Axis {
  readonly root: HTMLElement;
  private readonly canvas = el('canvas', { class: 'axis-canvas' });
  private readonly handles: Readonly<Record<Edge, HTMLElement>>;
  private readonly playhead = el('div', { class: 'axis-playhead', role: 'slider', tabindex: '0', 'data-testid': 'playhead' });
  private readonly layer: HTMLElement;
  private readonly space: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly length = el('span', { class: 'axis-length' });
  private readonly curves = el('select', { class: 'field small', 'data-testid': 'curve' });
  private readonly out = new Button('minus', () => this.zoom(1 / zoomStep));
  private readonly nearer = new Button('plus', () => this.zoom(zoomStep));
  private readonly all = new Button('fit', () => this.fit());
  private readonly painter: Painter | null;
  private view: View | null = null;
  private look = look.fit(0, 1);
  private dirty = false;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.handles = { in: this.handle('in'), out: this.handle('out') };
    this.layer = el('div', { class: 'axis-layer' }, this.canvas, this.playhead, this.handles.in, this.handles.out);
    this.space = el('div', { class: 'axis-space' }, this.layer);
    this.scroller = el('div', { class: 'axis-scroll', 'data-testid': 'axis' }, this.space);
    this.root = el('section', { class: 'axis' }, el('div', { class: 'axis-tools' }, this.length, el('span', { class: 'spring' }), this.curves, this.out.root, this.all.root, this.nearer.root), this.scroller);
    const g = this.canvas.getContext('2d');
    this.painter = g && new Painter(g, new Sheets(() => this.draw()));
    this.scroller.addEventListener('scroll', () => this.scrolled());
    new ResizeObserver(() => this.resized()).observe(this.scroller);
    this.curves.addEventListener('change', () => actions.choose(this.curves.value as Shown));
    this.listen();
  }

  /** How many pixels a scroll position stands for is the axis's own affair: the page asks for instants. */
  reveal(ms: number): void {
    this.set(look.follow(this.look, ms));
  }

  frame(fromMs: number, toMs: number): void {
    const inSight = fromMs >= this.look.fromMs && toMs <= look.untilMs(this.look) && (toMs - fromMs) / this.look.msPerPx > 60;
    if (!inSight) this.set(look.frame(this.look, { fromMs, toMs }));
  }

  zoom(factor: number, atPx?: number): void {
    const playhead = look.toPx(this.look, this.view?.atMs ?? 0);
    const inSight = playhead >= 0 && playhead <= this.look.widthPx;
    this.set(look.zoom(this.look, factor, atPx ?? (inSight ? playhead : this.look.widthPx / 2)));
  }

  fit(): void {
    this.set(look.fit(this.look.durationMs, this.look.widthPx));
  }

  render(view: View): void {
    const { i18n } = this;
    this.view = view;
    if (view.durationMs !== this.look.durationMs) this.set(look.reshape(this.look, view.durationMs, this.look.widthPx));
    setAttr(this.root, 'aria-label', i18n.t('axis.label'));
    this.nearer.label(i18n.t('zoom.in'), look.closest(this.look) ? '' : null);
    this.out.label(i18n.t('zoom.out'), look.fits(this.look) ? '' : null);
    this.all.label(i18n.t('zoom.fit'), look.fits(this.look) ? '' : null);
    this.renderCurves(view);
    const s = chosen(view.selection);
    setText(this.length, s ? i18n.t('selection.length', { time: lengthText(s.toMs - s.fromMs) }) : i18n.t(touch.matches ? 'selection.hintTouch' : 'selection.hint'));
    this.draw();
  }

  private renderCurves(view: View): void {
    const { i18n, curves } = this;
    const names: Shown[] = ['score', 'all', ...signalNames.filter((n) => n !== 'score')];
    setAttr(curves, 'aria-label', i18n.t('curve.label'));
    const texts = names.map((n) => i18n.t(`curve.${n}`));
    if (curves.options.length !== names.length || curves.options[0]?.text !== texts[0]) {
      curves.replaceChildren(...names.map((n, i) => new Option(texts[i], n)));
    }
    if (curves.value !== view.shown) curves.value = view.shown;
    curves.style.borderLeftColor = view.shown === 'all' ? '' : curveColours[view.shown];
    show(curves, view.signals !== null);
  }

  private listen(): void {
    new Pointing(this.canvas, {
      lane: laneAt,
      seek: (px) => this.actions.seek(look.toMs(this.look, px)),
      zoom: (factor, px) => this.zoom(factor, px),
      span: (fromPx, toPx) => this.spanned(fromPx, toPx),
      pick: (px, lane) => this.pick(look.toMs(this.look, px), lane),
    });
    this.scroller.addEventListener('wheel', (e) => this.wheel(e), { passive: false });
    this.playhead.addEventListener('keydown', (e) => this.playheadKey(e));
  }

  private wheel(e: WheelEvent): void {
    if (!e.ctrlKey && (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))) return; // the browser scrolls
    e.preventDefault();
    const lines = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    const { left } = this.scroller.getBoundingClientRect();
    this.zoom(Math.exp(-Math.max(-240, Math.min(240, e.deltaY * lines)) / (e.ctrlKey ? 120 : 320)), e.clientX - left);
  }

  /** A stretch drawn with Shift held. */
  private spanned(fromPx: number, toPx: number): void {
    const [a, b] = [this.snapped(look.toMs(this.look, fromPx)), this.snapped(look.toMs(this.look, toPx))];
    if (Math.abs(a - b) >= 100) this.actions.select(choose({ fromMs: Math.min(a, b), toMs: Math.max(a, b) }));
    else this.actions.select(setIn({ inMs: null, outMs: null }, a));
  }

  /** A double click takes what lies there for the selection. */
  private pick(ms: number, lane: ReturnType<typeof laneAt>): void {
    const { view } = this;
    if (!view) return;
    const at = <T extends { fromMs: number; toMs: number }>(all: readonly T[]): T | undefined => [...all].reverse().find((s) => s.fromMs <= ms && ms < s.toMs);
    const found = lane === 'marks' ? at((view.highlights ?? []).filter((h) => h.state !== 'dismissed')) : (at(view.replay?.cuts ?? []) ?? at(view.chapters));
    if (found) this.actions.take(found);
  }

  private snapped(ms: number): number {
    const { view } = this;
    if (!view) return ms;
    const points = [...edges(view.chapters, view.highlights ?? [], view.replay?.cuts ?? []), view.atMs, 0, view.durationMs];
    return snap(ms, points, snapPx * this.look.msPerPx);
  }

  private handle(edge: Edge): HTMLElement {
    const node = el('div', { class: `axis-handle ${edge}`, role: 'slider', tabindex: '0', 'data-testid': `handle-${edge}` });
    let off: number | null = null;
    node.addEventListener('pointerdown', (e) => {
      const ms = this.view?.selection[edge === 'in' ? 'inMs' : 'outMs'] ?? 0;
      off = e.clientX - look.toPx(this.look, ms);
      node.setPointerCapture(e.pointerId);
    });
    node.addEventListener('pointermove', (e) => {
      if (off === null) return;
      const ms = look.toMs(this.look, e.clientX - off);
      this.moveEdge(edge, e.altKey ? ms : this.snapped(ms));
    });
    for (const type of ['pointerup', 'pointercancel'] as const) node.addEventListener(type, () => (off = null));
    node.addEventListener('keydown', (e) => this.handleKey(edge, e));
    return node;
  }

  private handleKey(edge: Edge, e: KeyboardEvent): void {
    const way = e.key === 'ArrowLeft' || e.key === 'ArrowDown' ? -1 : e.key === 'ArrowRight' || e.key === 'ArrowUp' ? 1 : 0;
    if (way === 0) return;
    e.preventDefault();
    e.stopPropagation();
    const ms = this.view?.selection[edge === 'in' ? 'inMs' : 'outMs'] ?? 0;
    this.moveEdge(edge, ms + way * (e.altKey ? 33 : e.shiftKey ? 10_000 : 1_000));
  }

  private moveEdge(edge: Edge, ms: number): void {
    const { view } = this;
    if (!view) return;
    const selection = move(view.selection, edge, ms, view.durationMs);
    this.actions.select(selection);
    this.actions.seek((edge === 'in' ? selection.inMs : selection.outMs) ?? 0);
  }

  /** On the playhead itself up and down are arrows too, as a slider has them; the rest are the page's keys. */
  private playheadKey(e: KeyboardEvent): void {
    const way = e.key === 'ArrowDown' ? -1 : e.key === 'ArrowUp' ? 1 : 0;
    if (way === 0 || !this.view) return;
    e.preventDefault();
    this.actions.seek(this.view.atMs + way * 1_000);
  }

  private scrolled(): void {
    const at = this.scroller.scrollLeft;
    const known = this.look.fromMs / this.look.msPerPx;
    if (Math.abs(at - known) < 1) return; // our own, rounded
    this.look = look.scrollTo(this.look, at * this.look.msPerPx);
    this.draw();
  }

  private resized(): void {
    const width = Math.max(1, this.scroller.clientWidth);
    const ratio = window.devicePixelRatio || 1;
    this.layer.style.width = `${width}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(axisHeight * ratio);
    this.canvas.getContext('2d')?.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.set(look.reshape(this.look, this.look.durationMs, width));
  }

  private set(to: look.View): void {
    this.look = to;
    this.space.style.width = `${look.fits(to) ? to.widthPx : Math.ceil(to.durationMs / to.msPerPx)}px`;
    this.scroller.scrollLeft = to.fromMs / to.msPerPx;
    this.draw();
  }

  private draw(): void {
    if (this.dirty) return;
    this.dirty = true;
    requestAnimationFrame(() => {
      this.dirty = false;
      const { view } = this;
      if (!view) return;
      this.painter?.paint(this.look, view, { noPictures: this.i18n.t('axis.noPictures'), noSound: this.i18n.t('axis.noSound') });
      this.place(this.playhead, view.atMs, 'axis.playhead', view);
      this.place(this.handles.in, view.selection.inMs, 'axis.in', view);
      this.place(this.handles.out, view.selection.outMs, 'axis.out', view);
    });
  }

  private place(node: HTMLElement, ms: number | null, label: 'axis.playhead' | 'axis.in' | 'axis.out', view: View): void {
    const x = ms === null ? NaN : look.toPx(this.look, ms);
    show(node, ms !== null && (node === this.playhead || (x > -12 && x < this.look.widthPx + 12)));
    if (ms === null) return;
    node.style.transform = `translateX(${Math.min(Math.max(x, -20), this.look.widthPx + 20)}px)`;
    setAttr(node, 'aria-label', this.i18n.t(label));
    setAttr(node, 'aria-valuemin', '0');
    setAttr(node, 'aria-valuemax', String(Math.round(view.durationMs)));
    setAttr(node, 'aria-valuenow', String(Math.round(ms)));
    setAttr(node, 'aria-valuetext', timecode(ms));
  }
}
