import { productImage } from '../../product/view';
import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import type { I18n } from '../i18n';
import { errorText } from '../words';
import type { Chapter } from '../wire';
import type { Actions, View } from './context';
import { Button } from './icons';

/** The chapters of the show: renamed in place, hidden, joined, exported. */
export class ChaptersPanel {
  private readonly empty = el('p', { class: 'empty', 'data-testid': 'no-chapters' });
  private readonly list = el('ol', { class: 'rows' });
  readonly root = el('div', { class: 'panel-list' }, this.empty, this.list);
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {}

  render(view: View): void {
    const { chapters } = view;
    show(this.empty, view.replay !== null && chapters.length === 0);
    setText(this.empty, this.i18n.t('chapters.none'));
    for (const [id, row] of this.rows) {
      if (chapters.some((c) => c.id === id)) continue;
      row.root.remove();
      this.rows.delete(id);
    }
    chapters.forEach((c, i) => {
      const row = this.row(c);
      row.render(c, chapters.slice(i + 1).find((n) => !n.hidden) ?? null, view);
      const there = this.list.children[i];
      if (there !== row.root) this.list.insertBefore(row.root, there ?? null);
    });
  }

  private row(c: Chapter): Row {
    const known = this.rows.get(c.id) ?? new Row(c, this.i18n, this.actions);
    this.rows.set(c.id, known);
    return known;
  }
}

/** One chapter. What was written and not taken stays in its field until it is given up. */
class Row {
  private readonly times = el('button', { class: 'row-times', type: 'button' });
  private readonly title: HTMLInputElement;
  private readonly problem: HTMLElement;
  private readonly select: Button;
  private readonly hide: Button;
  private readonly merge: Button;
  private readonly export: Button;
  readonly root: HTMLElement;
  private chapter: Chapter;
  private follower: Chapter | null = null;
  private draft: string | null = null;
  private sending = false;

  constructor(
    c: Chapter,
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.chapter = c;
    this.title = el('input', { class: 'row-title', maxlength: '120', autocomplete: 'off', 'data-testid': 'chapter-title' });
    this.problem = el('p', { class: 'field-problem', role: 'alert', id: `problem-${c.id}`, hidden: true });
    this.select = new Button('select', () => actions.take(this.chapter));
    this.hide = new Button('eye', () => void actions.edit({ kind: this.chapter.hidden ? 'unhide_chapter' : 'hide_chapter', chapter: c.id }), 'tool', 'hide');
    this.merge = new Button('merge', () => this.follower && void actions.edit({ kind: 'merge_chapters', chapter: c.id, with: this.follower.id }), 'tool', 'merge');
    this.export = new Button('export', () => actions.openExport({ kind: 'chapter', id: c.id, span: this.chapter, title: this.chapter.title }), 'tool', 'export-chapter');
    this.times.addEventListener('click', () => actions.seek(this.chapter.fromMs, true));
    this.listen();
    this.root = el('li', { class: 'row', 'data-chapter': c.id }, productImage(c.product), el('div', { class: 'row-words' }, this.title, this.times, this.problem), el('div', { class: 'row-tools' }, this.select.root, this.hide.root, this.merge.root, this.export.root));
  }

  render(c: Chapter, follower: Chapter | null, view: View): void {
    const { i18n } = this;
    this.chapter = c;
    this.follower = follower;
    if (this.draft === c.title) this.settle();
    if (this.draft === null && document.activeElement !== this.title && this.title.value !== c.title) this.title.value = c.title;
    this.title.readOnly = view.off !== null;
    setAttr(this.title, 'aria-label', i18n.t('chapter.title', { n: view.chapters.indexOf(c) + 1 }));
    setAttr(this.title, 'placeholder', c.product?.title ?? '');
    setAttr(this.title, 'title', c.title);
    setText(this.times, `${position(c.fromMs)} – ${position(c.toMs)}${c.hidden ? ` · ${i18n.t('chapter.hidden')}` : ''}`);
    setAttr(this.times, 'aria-label', i18n.t('chapter.go', { time: position(c.fromMs) }));
    setAttr(this.root, 'data-hidden', c.hidden);
    setAttr(this.root, 'aria-current', c.fromMs <= view.atMs && view.atMs < c.toMs ? 'true' : null);
    this.select.label(i18n.t('chapter.select'));
    this.hide.label(i18n.t(c.hidden ? 'chapter.unhide' : 'chapter.hide'), view.off);
    setAttr(this.hide.root, 'data-off', c.hidden);
    this.merge.label(i18n.t('chapter.merge'), view.off ?? (c.hidden ? i18n.t('needs.shown') : follower ? null : i18n.t('needs.next')));
    this.export.label(i18n.t('export.chapter'), view.off);
  }

  private listen(): void {
    this.title.addEventListener('input', () => this.say(''));
    this.title.addEventListener('blur', () => void this.commit(false));
    this.title.addEventListener('keydown', (e) => {
      if (e.isComposing) return; // Enter belongs to the input method
      if (e.key === 'Enter') void this.commit(true);
      if (e.key !== 'Escape') return;
      this.settle();
      this.title.value = this.chapter.title;
      this.title.blur();
    });
  }

  private async commit(again: boolean): Promise<void> {
    const title = this.title.value.trim();
    if (this.sending || this.title.readOnly || (title === this.draft && !again)) return;
    if (title === this.chapter.title) {
      this.settle();
      return;
    }
    this.draft = title;
    this.sending = true;
    const outcome = await this.actions.edit({ kind: 'rename_chapter', chapter: this.chapter.id, title }, true);
    this.sending = false;
    if (outcome.done) {
      this.settle();
      this.title.value = this.chapter.title;
    } else {
      this.say(outcome.overtaken ? this.i18n.t('overtaken.rename', { by: outcome.by || this.i18n.t('somebody') }) : errorText(outcome.error, this.i18n));
    }
  }

  private settle(): void {
    this.draft = null;
    this.say('');
  }

  private say(problem: string): void {
    setText(this.problem, problem);
    show(this.problem, problem !== '');
    setAttr(this.title, 'aria-invalid', problem === '' ? null : 'true');
    setAttr(this.title, 'aria-describedby', problem === '' ? null : this.problem.id);
  }
}
