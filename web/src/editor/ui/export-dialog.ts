import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import { ApiError, type ClipWish } from '../api';
import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import { lengthText } from '../model/timecode';
import { errorText } from '../words';
import { clipKinds, type ClipKind } from '../wire';
import type { Actions, ExportOf } from './context';
import { Dialog } from './dialog';

const shapes = ['9:16', '1:1', '16:9', 'source'] as const;
type Shape = (typeof shapes)[number];
const switches = ['card', 'qr', 'subtitles', 'loudness'] as const;
type Switch = (typeof switches)[number];
const heights = ['720', '1080', '480'] as const;

/** Asks how a clip is to be made. What was chosen last is chosen again. */
export class ExportDialog {
  readonly dialog: Dialog;
  private readonly of = el('p', { class: 'hint' });
  private readonly title = el('input', { class: 'field', id: 'clip-title', maxlength: '120', autocomplete: 'off', 'data-testid': 'clip-title' });
  private readonly titleLabel = el('label', { class: 'label', for: 'clip-title' });
  private readonly kinds: Choice<ClipKind>;
  private readonly kindHint = el('p', { class: 'hint' });
  private readonly shape: Choice<Shape>;
  private readonly fit: Choice<'crop' | 'pad'>;
  private readonly height: Choice<(typeof heights)[number]>;
  private readonly checks = switches.map((name) => ({ name, box: el('input', { type: 'checkbox', class: 'check', id: `style-${name}` }), label: el('label', { for: `style-${name}` }) }));
  private readonly style: HTMLElement;
  private readonly problem = el('p', { class: 'field-problem', role: 'alert', id: 'clip-problem', hidden: true });
  private readonly go = el('button', { class: 'primary wide', type: 'submit', 'data-testid': 'make-clip' });
  private readonly form: HTMLFormElement;
  private asked: ExportOf | null = null;
  private busy = false;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
    rest: () => readonly HTMLElement[],
  ) {
    this.dialog = new Dialog('export', rest);
    this.kinds = new Choice('kind', clipKinds, 'copy', () => this.render());
    this.shape = new Choice('shape', shapes, '9:16', () => this.render());
    this.fit = new Choice('fit', ['crop', 'pad'] as const, 'crop', () => undefined);
    this.height = new Choice('height', heights, '720', () => undefined);
    for (const c of this.checks) c.box.checked = c.name !== 'subtitles';
    this.checks.forEach((c) => c.box.addEventListener('change', () => this.render()));
    this.style = el('div', { class: 'style' }, this.shape.root, this.fit.root, this.height.root, el('div', { class: 'checks' }, ...this.checks.map((c) => el('span', {}, c.box, c.label))));
    this.form = el('form', { class: 'export-form', novalidate: true }, this.of, this.kinds.root, this.kindHint, this.style, this.titleLabel, this.title, this.problem, this.go);
    this.form.addEventListener('submit', (e) => {
      e.preventDefault();
      void this.send();
    });
    this.dialog.body.append(this.form);
  }

  open(of: ExportOf): void {
    this.asked = of;
    this.title.value = '';
    this.say('');
    this.render();
    this.dialog.open(this.kinds.first);
  }

  render(): void {
    const { i18n, asked } = this;
    this.dialog.render(i18n.t(asked?.kind === 'products' ? 'export.products' : 'export.title'), i18n.t('close'));
    if (!asked) return;
    const many = asked.kind === 'products';
    setText(this.of, many ? i18n.t('export.productsText') : i18n.t('export.of', { from: position(asked.span.fromMs), to: position(asked.span.toMs), time: lengthText(asked.span.toMs - asked.span.fromMs) }));
    show(this.title, !many);
    show(this.titleLabel, !many);
    setText(this.titleLabel, i18n.t('clip.title'));
    setAttr(this.title, 'placeholder', many ? null : asked.title || i18n.t('clip.titleAuto'));
    this.kinds.render(i18n.t('kind.label'), (k) => i18n.t(`kind.${k}`));
    setText(this.kindHint, i18n.t(`kind.${this.kinds.value}Hint`));
    this.renderStyle();
    this.go.disabled = this.busy;
    setText(this.go, i18n.t(this.busy ? 'export.asking' : many ? 'export.goMany' : 'export.go'));
  }

  private renderStyle(): void {
    const { i18n } = this;
    show(this.style, this.kinds.value === 'styled');
    this.shape.render(i18n.t('shape.label'), (s) => (s === 'source' ? i18n.t('shape.source') : s));
    this.fit.render(i18n.t('fit.label'), (f) => i18n.t(`fit.${f}`));
    show(this.fit.root, this.shape.value !== 'source');
    this.height.render(i18n.t('height.label'), (h) => `${h}p`);
    for (const c of this.checks) setText(c.label, i18n.t(`style.${c.name}` as MessageKey));
    const qr = this.checks.find((c) => c.name === 'qr');
    if (qr) qr.box.disabled = !this.is('card');
  }

  private is(name: Switch): boolean {
    return this.checks.find((c) => c.name === name)?.box.checked === true;
  }

  private wish(of: ExportOf): ClipWish {
    const kind = this.kinds.value;
    const title = this.title.value.trim();
    const style = {
      aspect: this.shape.value, height: Number(this.height.value), card: this.is('card'), qr: this.is('card') && this.is('qr'), subtitles: this.is('subtitles'), loudness: this.is('loudness'),
      ...(this.shape.value === 'source' ? {} : { fit: this.fit.value }),
    };
    const how = { kind, ...(kind === 'styled' ? { style } : {}) };
    if (of.kind === 'products') return how;
    const what = of.kind === 'range' ? { from_ms: Math.round(of.span.fromMs), to_ms: Math.round(of.span.toMs) } : { [of.kind]: of.id };
    return { ...how, ...what, ...(title === '' ? {} : { title }) };
  }

  private async send(): Promise<void> {
    const { asked } = this;
    if (!asked || this.busy) return;
    this.busy = true;
    this.say('');
    this.render();
    try {
      await this.actions.makeClip(this.wish(asked), asked.kind === 'products');
      this.dialog.close();
    } catch (why) {
      this.say(errorText(why instanceof ApiError ? why : new ApiError(0), this.i18n));
      const wrong = why instanceof ApiError && why.fields.some((f) => f.field === 'title');
      setAttr(this.title, 'aria-invalid', wrong ? 'true' : null);
    } finally {
      this.busy = false;
      this.render();
    }
  }

  private say(problem: string): void {
    setText(this.problem, problem);
    show(this.problem, problem !== '');
    setAttr(this.title, 'aria-describedby', problem === '' ? null : 'clip-problem');
    if (problem === '') setAttr(this.title, 'aria-invalid', null);
  }
}

/** One of several, as radio buttons in a row. */
class Choice<T extends string> {
  readonly root: HTMLElement;
  private readonly legend = el('legend', { class: 'label' });
  private readonly options: { readonly name: T; readonly input: HTMLInputElement; readonly words: HTMLElement }[];

  constructor(
    group: string,
    names: readonly T[],
    private readonly fallback: T,
    onChange: () => void,
  ) {
    this.options = names.map((name) => {
      const input = el('input', { type: 'radio', name: group, value: name, id: `${group}-${name}`, 'data-testid': `${group}-${name}` });
      input.checked = name === fallback;
      input.addEventListener('change', onChange);
      return { name, input, words: el('span') };
    });
    this.root = el('fieldset', { class: 'choice' }, this.legend, el('div', { class: 'choice-row' }, ...this.options.map((o) => el('label', { class: 'choice-one' }, o.input, o.words))));
  }

  get value(): T {
    return this.options.find((o) => o.input.checked)?.name ?? this.fallback;
  }

  get first(): HTMLElement | null {
    return this.options.find((o) => o.input.checked)?.input ?? null;
  }

  render(label: string, words: (name: T) => string): void {
    setText(this.legend, label);
    for (const o of this.options) setText(o.words, words(o.name));
  }
}
