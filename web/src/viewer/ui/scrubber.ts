import type { I18n } from '../i18n';
import { chapterAt, type Chapter } from '../../timeline/chapters';
import { tileAt, type Tile } from '../../timeline/storyboard';
import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import type { Actions, View } from './view';

const thumb = 16; // of the range
const edge = 8; // what stands over the track keeps this far from the page's edges

/** The position in a replay. A range input carries keyboard and screen reader; the chapters are buttons along it. */
export class Scrubber {
  readonly root: HTMLElement;
  private readonly range = el('input', { class: 'range', type: 'range', min: '0', max: '0', step: '100', value: '0' });
  private readonly marks = el('div', { class: 'marks' });
  private readonly stretches = el('div', { class: 'marks' });
  private readonly picture = el('span', { class: 'tile' });
  private readonly peekText = el('span', { class: 'peek-text' });
  private readonly peek = el('div', { class: 'peek', 'aria-hidden': 'true' }, this.picture, this.peekText);
  private readonly track = el('div', { class: 'track' }, el('div', { class: 'fill' }), this.stretches, this.range, this.marks, this.peek);
  private readonly at = el('span', { class: 'time' }, '0:00');
  private readonly total = el('span', { class: 'time' }, '0:00');
  private readonly chapter = el('span', { class: 'chapter-title' });
  private drawn = '';
  private dragging = false;
  private tiles: readonly Tile[] = [];
  private chapters: readonly Chapter[] = [];
  private durationMs = 0;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.root = el('div', { class: 'scrubber' }, this.chapter, this.at, this.track, this.total);
    this.range.addEventListener('input', () => actions.seek(Number(this.range.value)));
    this.range.addEventListener('pointerdown', () => (this.dragging = true));
    for (const type of ['pointerup', 'pointercancel', 'blur'] as const) this.range.addEventListener(type, () => (this.dragging = false));
    for (const type of ['pointermove', 'pointerdown'] as const) this.range.addEventListener(type, (e) => this.look(e));
    for (const type of ['pointerleave', 'pointerup', 'pointercancel'] as const) this.range.addEventListener(type, () => show(this.peek, false));
    show(this.peek, false);
    this.range.addEventListener('keydown', (e) => this.onKey(e));
  }

  render(view: View): void {
    const { durationMs, chapters } = view;
    this.tiles = view.tiles;
    this.chapters = chapters;
    this.durationMs = durationMs;
    const positionMs = Math.min(view.positionMs, durationMs);
    this.drawMarks(chapters, durationMs);
    setAttr(this.range, 'max', String(Math.max(1, Math.round(durationMs))));
    if (!this.dragging) this.range.value = String(Math.round(positionMs));
    this.track.style.setProperty('--played', String(durationMs > 0 ? positionMs / durationMs : 0));
    const [at, total] = [position(positionMs), position(durationMs)];
    setText(this.at, at);
    setText(this.total, total);
    setAttr(this.range, 'aria-label', this.i18n.t('control.seek'));
    const current = chapterAt(chapters, positionMs);
    const title = current ? this.titleOf(current) : '';
    setText(this.chapter, title);
    setAttr(this.range, 'aria-valuetext', this.i18n.t('control.position', { at, total }) + (title ? `, ${title}` : ''));
    for (const mark of this.marks.children) setAttr(mark, 'data-current', mark.getAttribute('data-chapter') === current?.id);
  }

  /** Shows what is to be seen where the pointer is, before anybody goes there. */
  private look(e: PointerEvent): void {
    const box = this.track.getBoundingClientRect();
    if (box.width === 0 || this.durationMs === 0) return;
    const share = Math.min(1, Math.max(0, (e.clientX - box.left - thumb / 2) / (box.width - thumb)));
    const ms = share * this.durationMs;
    const chapter = chapterAt(this.chapters, ms);
    setText(this.peekText, position(ms) + (chapter ? ` · ${this.titleOf(chapter)}` : ''));
    const tile = tileAt(this.tiles, ms);
    show(this.picture, tile !== null);
    if (tile) {
      const { style } = this.picture;
      style.width = `${tile.width}px`;
      style.height = `${tile.height}px`;
      style.backgroundImage = `url("${tile.url}")`;
      style.backgroundPosition = `-${tile.x}px -${tile.y}px`;
    }
    show(this.peek, true);
    const half = this.peek.offsetWidth / 2;
    const x = thumb / 2 + share * (box.width - thumb);
    this.peek.style.left = `${Math.min(Math.max(x, half - box.left + edge), window.innerWidth - box.left - half - edge)}px`;
  }

  private drawMarks(chapters: readonly Chapter[], durationMs: number): void {
    const drawn = JSON.stringify([this.i18n.lang, durationMs, chapters.map((c) => [c.id, c.startMs, c.endMs, c.title])]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.stretches.replaceChildren(...chapters.map((c) => place(el('span', { class: 'stretch' }), c, durationMs)));
    this.marks.replaceChildren(...chapters.map((c) => this.mark(c, durationMs)));
  }

  private mark(c: Chapter, durationMs: number): HTMLElement {
    const label = this.i18n.t('control.chapter', { title: this.titleOf(c), at: position(c.startMs) });
    const button = el('button', { class: 'mark', type: 'button', 'data-chapter': c.id, 'aria-label': label }, el('span', { class: 'tip' }, this.titleOf(c)));
    button.addEventListener('click', () => this.actions.seek(c.startMs));
    return place(button, c, durationMs);
  }

  private titleOf(c: Chapter): string {
    return c.title || this.i18n.t('product.untitled');
  }

  /** Five seconds by arrow, a tenth by page; the browser's own steps are too fine for a show of hours. */
  private onKey(e: KeyboardEvent): void {
    const tenth = Number(this.range.max) / 10;
    const step = { ArrowLeft: -5_000, ArrowDown: -5_000, ArrowRight: 5_000, ArrowUp: 5_000, PageDown: -tenth, PageUp: tenth }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    this.actions.seek(Math.min(Number(this.range.max), Math.max(0, Number(this.range.value) + step)));
  }
}

function place<E extends HTMLElement>(node: E, c: Chapter, durationMs: number): E {
  node.style.setProperty('--from', String(c.startMs / durationMs));
  node.style.setProperty('--span', String((c.endMs - c.startMs) / durationMs));
  return node;
}
