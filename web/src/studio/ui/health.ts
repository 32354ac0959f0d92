import { el, setAttr, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import { icon } from './icons';
import { Sheet } from './sheet';
import { Signal } from './signal';
import type { View } from './view';

/** The connection in numbers and in words, and everything that could be better with how to make it so. */
export class Health {
  readonly sheet: Sheet;
  private readonly signal = new Signal();
  private readonly verdict = el('strong');
  private readonly numbers = el('dl', { class: 'numbers' });
  private readonly fine = el('p', { class: 'fine' }, icon('check'), el('span'));
  private readonly list = el('ul', { class: 'concerns' });

  constructor(
    private readonly i18n: I18n,
    rest: readonly HTMLElement[],
  ) {
    this.sheet = new Sheet('health', rest);
    this.sheet.body.append(el('p', { class: 'verdict' }, this.signal.root, this.verdict), this.list, this.fine, this.numbers);
  }

  render(view: View): void {
    this.sheet.render(this.i18n.t('health.title'), this.i18n.t('close'));
    if (!this.sheet.isOpen) return;
    const level = view.quality?.level ?? null;
    this.signal.render(level);
    show(this.signal.root, level !== null);
    setText(this.verdict, level === null ? this.i18n.t(view.publisher ? 'state.elsewhere' : 'quality.off') : this.i18n.t(`quality.${level}`));
    this.renderWarnings(view);
    this.renderNumbers(view);
  }

  private renderWarnings(view: View): void {
    const on = view.quality !== null || view.publisher !== null;
    show(this.fine, on && view.warnings.length === 0);
    setText(this.fine.lastElementChild ?? this.fine, this.i18n.t('health.fine'));
    const drawn = JSON.stringify(view.warnings);
    if (this.list.dataset.drawn === drawn) return;
    this.list.dataset.drawn = drawn;
    this.list.replaceChildren(
      ...view.warnings.map((w) =>
        el('li', { class: 'concern', 'data-tone': w.severity, 'data-code': w.code }, icon(w.severity === 'info' ? 'info' : 'warning'), el('div', {}, el('strong', {}, w.message), w.remedy === '' ? null : el('p', {}, w.remedy))),
      ),
    );
  }

  private renderNumbers(view: View): void {
    const rows = this.rows(view);
    while (this.numbers.children.length > rows.length) this.numbers.lastElementChild?.remove();
    rows.forEach(([label, value], i) => {
      const row = this.numbers.children[i] ?? this.numbers.appendChild(el('div', {}, el('dt'), el('dd')));
      setText(row.children[0] ?? row, this.i18n.t(label));
      setText(row.children[1] ?? row, value);
    });
    setAttr(this.numbers, 'data-empty', rows.length === 0);
  }

  private rows(view: View): [MessageKey, string][] {
    const { quality: q, publisher: p } = view;
    const t = this.i18n.t.bind(this.i18n);
    const n = (v: number, digits = 0): string => new Intl.NumberFormat(this.i18n.lang, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(v);
    const width = (q?.width ?? 0) || (p?.width ?? 0);
    const rows: [MessageKey, string | null][] = [
      ['health.picture', width > 0 ? t('health.value.picture', { width, height: (q?.height ?? 0) || (p?.height ?? 0), fps: n(q?.fps ?? p?.fps ?? 0) }) : null],
      ['health.speed', q || p ? t('health.value.mbps', { n: n((q?.bitrateBps ?? p?.bitrateBps ?? 0) / 1e6, 1) }) : null],
      ['health.loss', q ? t('health.value.percent', { n: n(q.lossPercent, 1) }) : null],
      ['health.rtt', q?.rttMs != null ? t('health.value.ms', { n: n(q.rttMs) }) : null],
      ['health.codec', [q?.codec ?? p?.video ?? '', q?.encoder ?? p?.encoder ?? ''].filter((s) => s !== '').join(' · ') || null],
      ['health.keyframes', p && p.keyIntervalMs > 0 ? t('health.value.seconds', { n: n(p.keyIntervalMs / 1000, 1) }) : null],
      ['health.sound', p?.audio ?? null],
    ];
    return rows.filter((r): r is [MessageKey, string] => r[1] !== null && r[1] !== '');
  }
}
