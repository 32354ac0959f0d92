import { el, setAttr, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import { allCut, chosen, nothing, setIn, setOut, within, type Edge } from '../model/selection';
import { parseTimecode, timecode } from '../model/timecode';
import type { Actions, View } from './context';
import { Button } from './icons';

/** The in- and out-point to read and to write, and what can be done with what lies between. */
export class SelectionBar {
  private readonly fields: Readonly<Record<Edge, HTMLInputElement>> = { in: field('in'), out: field('out') };
  private readonly set: Readonly<Record<Edge, Button>>;
  private readonly problem = el('p', { class: 'field-problem', role: 'alert', id: 'selection-problem', hidden: true });
  private readonly cut: Button;
  private readonly restore: Button;
  private readonly split: Button;
  private readonly export: Button;
  private readonly clear: Button;
  readonly root: HTMLElement;
  private view: View | null = null;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.set = { in: new Button(null, () => this.here('in'), 'tool edge', 'set-in'), out: new Button(null, () => this.here('out'), 'tool edge', 'set-out') };
    this.cut = new Button('cut', () => actions.cutSelection(), 'tool words-too', 'cut');
    this.restore = new Button('restore', () => this.withSpan((s) => actions.restore(s)), 'tool words-too', 'restore');
    this.split = new Button('split', () => actions.splitHere(), 'tool words-too', 'split');
    this.export = new Button('export', () => this.withSpan((span) => actions.openExport({ kind: 'range', span, title: '' })), 'tool words-too', 'export');
    this.clear = new Button('close', () => actions.select(nothing));
    for (const edge of ['in', 'out'] as const) {
      this.fields[edge].addEventListener('change', () => this.written(edge));
      this.fields[edge].addEventListener('input', () => this.say('', null));
    }
    const pair = (edge: Edge): HTMLElement => el('span', { class: 'edge-pair' }, this.set[edge].root, this.fields[edge]);
    this.root = el('section', { class: 'selection' }, pair('in'), pair('out'), this.clear.root, this.problem, el('span', { class: 'spring' }), this.cut.root, this.restore.root, this.split.root, this.export.root);
  }

  render(view: View): void {
    const { i18n } = this;
    this.view = view;
    setAttr(this.root, 'aria-label', i18n.t('selection.label'));
    const { selection, off, replay } = view;
    for (const edge of ['in', 'out'] as const) {
      const f = this.fields[edge];
      const ms = edge === 'in' ? selection.inMs : selection.outMs;
      if (document.activeElement !== f && f.getAttribute('aria-invalid') === null) f.value = ms === null ? '' : timecode(ms);
      setAttr(f, 'aria-label', i18n.t(`axis.${edge}`));
      setAttr(f, 'placeholder', '0:00.000');
      this.set[edge].say(i18n.t(`set.${edge}`), i18n.t(`set.${edge}Title`));
    }
    const s = chosen(selection);
    const cuts = replay?.cuts ?? [];
    const needs = s ? null : i18n.t('needs.selection');
    this.cut.say(i18n.t('cut'), `${i18n.t('cut')} (X)`, off ?? needs ?? (s && allCut(cuts, s) ? i18n.t('needs.uncut') : null));
    this.restore.say(i18n.t('restore'), `${i18n.t('restore')} (R)`, off ?? needs ?? (s && within(cuts, s).length === 0 ? i18n.t('needs.cut') : null));
    const here = view.chapters.some((c) => c.fromMs < view.atMs && view.atMs < c.toMs);
    this.split.say(i18n.t('split'), `${i18n.t('split.title')} (S)`, off ?? (here ? null : i18n.t('needs.chapter')));
    this.export.say(i18n.t('export'), i18n.t('export.selection'), off ?? needs);
    this.clear.label(i18n.t('selection.clear'), selection.inMs === null && selection.outMs === null ? '' : null);
  }

  private here(edge: Edge): void {
    const { view } = this;
    if (view) this.actions.select(edge === 'in' ? setIn(view.selection, view.atMs) : setOut(view.selection, view.atMs));
  }

  private written(edge: Edge): void {
    const { view } = this;
    const f = this.fields[edge];
    if (!view) return;
    const at = f.value.trim() === '' ? null : parseTimecode(f.value);
    if (f.value.trim() !== '' && at === null) return this.say(this.i18n.t('time.bad'), f);
    if (at !== null && at > view.durationMs) return this.say(this.i18n.t('time.late', { time: timecode(view.durationMs) }), f);
    const { inMs, outMs } = view.selection;
    const other = edge === 'in' ? outMs : inMs;
    if (at !== null && other !== null && (edge === 'in' ? at >= other : at <= other)) return this.say(this.i18n.t(`time.${edge}Order`), f);
    this.say('', null);
    this.actions.select(edge === 'in' ? { inMs: at, outMs } : { inMs, outMs: at });
    if (at !== null) this.actions.seek(at, true);
  }

  private say(problem: string, at: HTMLInputElement | null): void {
    setText(this.problem, problem);
    show(this.problem, problem !== '');
    for (const f of Object.values(this.fields)) {
      setAttr(f, 'aria-invalid', f === at ? 'true' : null);
      setAttr(f, 'aria-describedby', f === at ? 'selection-problem' : null);
    }
  }

  private withSpan(act: (s: NonNullable<ReturnType<typeof chosen>>) => void): void {
    const s = this.view && chosen(this.view.selection);
    if (s) act(s);
  }
}

function field(edge: Edge): HTMLInputElement {
  return el('input', { class: 'field small time', inputmode: 'decimal', autocomplete: 'off', 'data-testid': `field-${edge}` });
}
