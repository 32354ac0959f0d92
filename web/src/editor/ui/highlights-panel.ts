import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import type { I18n } from '../i18n';
import { chosen } from '../model/selection';
import { lengthText } from '../model/timecode';
import { reasonText } from '../words';
import type { Highlight } from '../wire';
import type { Actions, View } from './context';
import { Button } from './icons';

/** The moments that stand out, why, and what is done with them. */
export class HighlightsPanel {
  private readonly empty = el('p', { class: 'empty' });
  private readonly list = el('ol', { class: 'rows' });
  readonly root = el('div', { class: 'panel-list' }, this.empty, this.list);
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {}

  render(view: View): void {
    const all = [...(view.highlights ?? [])].sort((a, b) => Number(a.state === 'dismissed') - Number(b.state === 'dismissed') || a.fromMs - b.fromMs);
    show(this.empty, all.length === 0);
    setText(this.empty, this.i18n.t(view.highlights === null ? 'highlights.loading' : 'highlights.none'));
    for (const [id, row] of this.rows) {
      if (all.some((h) => h.id === id)) continue;
      row.root.remove();
      this.rows.delete(id);
    }
    all.forEach((h, i) => {
      const row = this.rows.get(h.id) ?? new Row(h, this.i18n, this.actions);
      this.rows.set(h.id, row);
      row.render(h, view);
      if (this.list.children[i] !== row.root) this.list.insertBefore(row.root, this.list.children[i] ?? null);
    });
  }
}

class Row {
  private readonly title = el('strong', { class: 'row-name' });
  private readonly times = el('button', { class: 'row-times', type: 'button' });
  private readonly why = el('p', { class: 'row-why' });
  private readonly play: Button;
  private readonly accept: Button;
  private readonly save: Button;
  private readonly dismiss: Button;
  private readonly export: Button;
  readonly root: HTMLElement;

  constructor(
    private highlight: Highlight,
    private readonly i18n: I18n,
    actions: Actions,
  ) {
    const id = highlight.id;
    this.play = new Button('play', () => actions.playStretch(this.highlight), 'tool', 'play-highlight');
    this.accept = new Button('check', () => {
      actions.take(this.highlight);
      if (this.highlight.state !== 'accepted') void actions.decide(this.highlight, { state: 'accepted' });
    }, 'tool words-too', 'accept');
    this.save = new Button('select', () => {
      if (this.span) void actions.decide(this.highlight, { from_ms: this.span.fromMs, to_ms: this.span.toMs });
    }, 'tool words-too');
    this.dismiss = new Button('close', () => void actions.decide(this.highlight, { state: this.highlight.state === 'dismissed' ? 'proposed' : 'dismissed' }));
    this.export = new Button('export', () => actions.openExport({ kind: 'highlight', id, span: this.highlight, title: this.highlight.title }));
    this.times.addEventListener('click', () => actions.seek(this.highlight.fromMs, true));
    this.root = el('li', { class: 'row tall', 'data-highlight': id }, el('div', { class: 'row-words' }, this.title, this.times, this.why), el('div', { class: 'row-tools' }, this.play.root, this.accept.root, this.save.root, this.export.root, this.dismiss.root));
  }

  private span: ReturnType<typeof chosen> = null;

  render(h: Highlight, view: View): void {
    const { i18n } = this;
    this.highlight = h;
    this.span = chosen(view.selection);
    setAttr(this.root, 'data-state', h.state);
    setText(this.title, h.title || i18n.t('highlight.untitled'));
    const state = h.state === 'proposed' ? '' : ` · ${i18n.t(`highlight.${h.state}`)}`;
    setText(this.times, `${position(h.fromMs)} – ${position(h.toMs)} · ${lengthText(h.toMs - h.fromMs)}${state}`);
    setAttr(this.times, 'aria-label', i18n.t('chapter.go', { time: position(h.fromMs) }));
    setText(this.why, h.reasons.map((r) => reasonText(r, i18n)).join(i18n.t('list.and')));
    this.play.label(i18n.t('highlight.play'));
    const accepted = h.state === 'accepted';
    this.accept.say(i18n.t(accepted ? 'highlight.trim' : 'highlight.accept'), i18n.t(accepted ? 'highlight.trim' : 'highlight.acceptTitle'), accepted ? null : view.off);
    const differs = this.span !== null && (this.span.fromMs !== h.fromMs || this.span.toMs !== h.toMs) && this.span.fromMs < h.toMs && h.fromMs < this.span.toMs;
    this.save.say(i18n.t('highlight.save'), i18n.t('highlight.saveTitle'), view.off);
    show(this.save.root, accepted && differs);
    this.dismiss.label(i18n.t(h.state === 'dismissed' ? 'highlight.again' : 'highlight.dismiss'), view.off);
    setAttr(this.dismiss.root, 'data-off', h.state === 'dismissed');
    this.export.label(i18n.t('export.highlight'), view.off);
  }
}
