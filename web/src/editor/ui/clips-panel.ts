import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import type { I18n } from '../i18n';
import { chosen } from '../model/selection';
import { lengthText } from '../model/timecode';
import { sizeText } from '../words';
import type { Clip } from '../wire';
import type { Actions, View } from './context';
import { Button, icon } from './icons';

/** The clips of the show, how far they are, and what can be done with them. */
export class ClipsPanel {
  private readonly selection: Button;
  private readonly each: Button;
  private readonly empty = el('p', { class: 'empty' });
  private readonly list = el('ol', { class: 'rows', 'data-testid': 'clips' });
  readonly root: HTMLElement;
  private readonly rows = new Map<string, Row>();
  private view: View | null = null;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.selection = new Button('export', () => this.exportSelection(), 'secondary words-too');
    this.each = new Button('export', () => actions.openExport({ kind: 'products' }), 'secondary words-too', 'export-products');
    this.root = el('div', { class: 'panel-list' }, el('div', { class: 'panel-acts' }, this.selection.root, this.each.root), this.empty, this.list);
  }

  render(view: View): void {
    const { i18n } = this;
    this.view = view;
    this.selection.say(i18n.t('export.selection'), i18n.t('export.selection'), view.off ?? (chosen(view.selection) ? null : i18n.t('needs.selection')));
    this.each.say(i18n.t('export.products'), i18n.t('export.products'), view.off ?? (view.chapters.some((c) => !c.hidden) ? null : i18n.t('needs.chapters')));
    const clips = view.clips ?? [];
    show(this.empty, clips.length === 0);
    setText(this.empty, i18n.t(view.clips === null ? 'clips.loading' : 'clips.none'));
    for (const [id, row] of this.rows) {
      if (clips.some((c) => c.id === id)) continue;
      row.root.remove();
      this.rows.delete(id);
    }
    clips.forEach((c, i) => {
      const row = this.rows.get(c.id) ?? new Row(c, i18n, this.actions);
      this.rows.set(c.id, row);
      row.render(c, view);
      if (this.list.children[i] !== row.root) this.list.insertBefore(row.root, this.list.children[i] ?? null);
    });
  }

  private exportSelection(): void {
    const span = this.view && chosen(this.view.selection);
    if (span) this.actions.openExport({ kind: 'range', span, title: '' });
  }
}

class Row {
  private readonly title = el('strong', { class: 'row-name' });
  private readonly facts = el('button', { class: 'row-times', type: 'button' });
  private readonly bar = el('progress', { max: '1', class: 'bar' });
  private readonly problem = el('p', { class: 'field-problem' });
  private readonly open = el('a', { class: 'tool', target: '_blank', rel: 'noopener' });
  private readonly file = el('a', { class: 'tool words-too', 'data-testid': 'download' });
  private readonly link: Button;
  private readonly cancel: Button;
  private readonly retry: Button;
  private readonly remove: Button;
  readonly root: HTMLElement;
  private sure: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private clip: Clip,
    private readonly i18n: I18n,
    actions: Actions,
  ) {
    const id = clip.id;
    this.open.append(icon('open'));
    this.file.append(icon('download'), el('span', { class: 'words' }));
    this.link = new Button('link', () => actions.copy(new URL(this.clip.pageUrl, location.href).href), 'tool');
    this.cancel = new Button('close', () => actions.clipAct(id, 'cancel'), 'tool words-too', 'cancel-clip');
    this.retry = new Button('restore', () => actions.clipAct(id, 'retry'), 'tool words-too', 'retry-clip');
    this.remove = new Button('trash', () => this.removed(() => actions.clipAct(id, 'delete')), 'tool words-too', 'delete-clip');
    this.facts.addEventListener('click', () => actions.take(this.clip));
    this.root = el('li', { class: 'row tall', 'data-clip': id }, el('div', { class: 'row-words' }, this.title, this.facts, this.bar, this.problem), el('div', { class: 'row-tools' }, this.file, this.open, this.link.root, this.cancel.root, this.retry.root, this.remove.root));
  }

  render(c: Clip, view: View): void {
    const { i18n } = this;
    this.clip = c;
    setAttr(this.root, 'data-state', c.state);
    setText(this.title, c.title);
    const shape = c.kind === 'styled' && c.aspect !== '' && c.aspect !== 'source' ? ` ${c.aspect}` : '';
    const size = c.state === 'done' && c.bytes > 0 ? ` · ${sizeText(c.bytes, i18n.lang)}` : '';
    const state = c.state === 'done' ? '' : ` · ${i18n.t(`clip.${c.state}`)}${c.state === 'running' ? ` ${Math.floor(c.progress * 100)} %` : ''}`;
    setText(this.facts, `${i18n.t(`kind.${c.kind}`)}${shape} · ${position(c.fromMs)} · ${lengthText(c.toMs - c.fromMs)}${size}${state}`);
    setAttr(this.facts, 'aria-label', i18n.t('clip.take'));
    const working = c.state === 'queued' || c.state === 'running';
    show(this.bar, working);
    if (c.state === 'running') this.bar.value = c.progress;
    else this.bar.removeAttribute('value');
    setAttr(this.bar, 'aria-label', i18n.t('clip.progress'));
    setText(this.problem, c.error);
    show(this.problem, c.error !== '' && c.state !== 'done');
    this.renderTools(c, view, working);
  }

  private renderTools(c: Clip, view: View, working: boolean): void {
    const { i18n } = this;
    const playable = c.state === 'done';
    show(this.open, playable);
    setAttr(this.open, 'href', c.pageUrl);
    setAttr(this.open, 'aria-label', i18n.t('clip.open'));
    setAttr(this.open, 'title', i18n.t('clip.open'));
    show(this.file, playable && c.fileUrl !== null);
    setAttr(this.file, 'href', c.fileUrl === null ? null : `${c.fileUrl}?download`);
    setAttr(this.file, 'download', true);
    const words = this.file.lastElementChild;
    if (words) setText(words, i18n.t('clip.download'));
    show(this.link.root, playable);
    this.link.label(i18n.t('clip.copy'));
    show(this.cancel.root, working);
    this.cancel.say(i18n.t('clip.cancel'), i18n.t('clip.cancel'), view.off);
    show(this.retry.root, c.state === 'failed' || c.state === 'cancelled');
    this.retry.say(i18n.t('clip.retry'), i18n.t('clip.retry'), view.off);
    show(this.remove.root, !working);
    const label = i18n.t(this.sure === undefined ? 'clip.delete' : 'clip.deleteSure');
    this.remove.say(this.sure === undefined ? '' : label, label, view.off);
  }

  /** A clip that is deleted does not come back: a second press says that it is meant. */
  private removed(act: () => void): void {
    if (this.sure !== undefined) return act();
    const label = this.i18n.t('clip.deleteSure');
    this.remove.say(label);
    this.sure = setTimeout(() => {
      this.sure = undefined;
      this.remove.say('', this.i18n.t('clip.delete'));
    }, 4_000);
  }
}
