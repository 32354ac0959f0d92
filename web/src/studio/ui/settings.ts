import { el, setAttr, setText, show } from '../../ui/dom';
import type { Device } from '../capture/camera';
import { maxBitrate, type Definition, type Shape } from '../capture/shape';
import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import type { Prefs } from '../prefs';
import { Sheet } from './sheet';
import type { Actions, View } from './view';

const definitions: readonly Definition[] = ['480p', '720p', '1080p'];
const shapes: readonly Shape[] = ['auto', 'portrait', 'landscape'];

/** Which camera and microphone, what picture, and how products are shown. */
export class Settings {
  readonly sheet: Sheet;
  private readonly camera = el('select', { class: 'field', 'data-testid': 'camera' });
  private readonly microphone = el('select', { class: 'field', 'data-testid': 'microphone' });
  private readonly definition: Choice<Definition>;
  private readonly shape: Choice<Shape>;
  private readonly fixed = el('p', { class: 'setting-hint' });
  private readonly toggles: Toggle[];
  private readonly language = el('button', { class: 'secondary wide', type: 'button' });
  private readonly forget = el('button', { class: 'secondary wide danger', type: 'button' });
  private readonly labels: (() => void)[] = [];

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
    rest: readonly HTMLElement[],
  ) {
    this.sheet = new Sheet('settings', rest);
    this.definition = new Choice(definitions, (d) => i18n.t(`settings.definition.${d}`), (definition) => actions.choose({ definition }));
    this.shape = new Choice(shapes, (s) => i18n.t(`settings.shape.${s}`), (shape) => actions.choose({ shape }));
    this.toggles = (['mirror', 'voice', 'single'] as const).map((name) => new Toggle(i18n, name, (on) => actions.choose({ [name]: on })));
    this.camera.addEventListener('change', () => actions.choose({ videoId: this.camera.value }));
    this.microphone.addEventListener('change', () => actions.choose({ audioId: this.microphone.value }));
    this.language.addEventListener('click', () => i18n.toggle());
    this.forget.addEventListener('click', () => {
      this.sheet.close();
      actions.forgetKey();
    });
    this.sheet.body.append(
      this.row('settings.camera', this.camera),
      this.row('settings.microphone', this.microphone),
      this.row('settings.definition', this.definition.root),
      this.row('settings.shape', this.shape.root),
      this.fixed,
      ...this.toggles.map((t) => t.root),
      el('div', { class: 'setting-foot' }, this.language, this.forget),
    );
  }

  render(view: View): void {
    const { i18n } = this;
    this.sheet.render(i18n.t('settings.title'), i18n.t('close'));
    if (!this.sheet.isOpen) return;
    this.labels.forEach((l) => l());
    const { prefs } = view;
    options(this.camera, view.cameras, view.cameraId || prefs.videoId, i18n.t('settings.cameraDefault'), (n) => i18n.t('settings.cameraNumber', { n }));
    options(this.microphone, view.microphones, view.microphoneId || prefs.audioId, i18n.t('settings.microphoneDefault'), (n) => i18n.t('settings.microphoneNumber', { n }));
    this.definition.render(prefs.definition, view.fixed);
    this.shape.render(prefs.shape, view.fixed);
    const mbps = (maxBitrate(prefs.definition) / 1e6).toFixed(1);
    setText(this.fixed, view.fixed ? i18n.t('settings.fixed') : i18n.t('settings.definitionHint', { n: mbps }));
    this.toggles.forEach((t) => t.render(prefs));
    setText(this.language, `${i18n.t('settings.language')}: ${i18n.t('lang.toggle')}`);
    setAttr(this.language, 'aria-label', i18n.t('lang.toggleLabel'));
    setText(this.forget, i18n.t('key.forget'));
    show(this.forget, !view.fixed);
  }

  private row(label: MessageKey, control: HTMLElement): HTMLElement {
    const words = el('span', { class: 'setting-label' });
    this.labels.push(() => setText(words, this.i18n.t(label)));
    return el(control instanceof HTMLSelectElement ? 'label' : 'div', { class: 'setting' }, words, control);
  }
}

/** One of a few, side by side. */
class Choice<T extends string> {
  readonly root = el('div', { class: 'choice', role: 'radiogroup' });
  private readonly buttons: HTMLButtonElement[];

  constructor(
    private readonly of: readonly T[],
    private readonly label: (value: T) => string,
    choose: (value: T) => void,
  ) {
    this.buttons = of.map((value) => {
      const button = el('button', { type: 'button', role: 'radio', 'data-value': value });
      button.addEventListener('click', () => choose(value));
      return button;
    });
    this.root.append(...this.buttons);
  }

  render(chosen: T, disabled: boolean): void {
    this.buttons.forEach((button, i) => {
      const value = this.of[i];
      if (value === undefined) return;
      setText(button, this.label(value));
      setAttr(button, 'aria-checked', value === chosen ? 'true' : 'false');
      button.disabled = disabled;
    });
  }
}

/** On or off, with what that means. */
class Toggle {
  private readonly words = el('strong');
  private readonly hint = el('span', { class: 'setting-hint' });
  private readonly input = el('input', { type: 'checkbox', role: 'switch', class: 'switch' });
  readonly root = el('label', { class: 'toggle' }, el('span', { class: 'toggle-words' }, this.words, this.hint), this.input);

  constructor(
    private readonly i18n: I18n,
    private readonly name: 'mirror' | 'voice' | 'single',
    set: (on: boolean) => void,
  ) {
    setAttr(this.input, 'data-testid', name);
    this.input.addEventListener('change', () => set(this.input.checked));
  }

  render(prefs: Prefs): void {
    setText(this.words, this.i18n.t(`settings.${this.name}`));
    setText(this.hint, this.i18n.t(`settings.${this.name}Hint`));
    this.input.checked = prefs[this.name];
  }
}

function options(select: HTMLSelectElement, devices: readonly Device[], chosen: string, byDefault: string, numbered: (n: number) => string): void {
  const known = devices.filter((d) => d.id !== 'default');
  const inUse = known.some((d) => d.id === chosen);
  const wanted: [string, string][] = [...(inUse ? [] : [['', byDefault] as [string, string]]), ...known.map((d, i): [string, string] => [d.id, d.label === '' ? numbered(i + 1) : d.label])];
  const drawn = JSON.stringify(wanted);
  if (select.dataset.drawn !== drawn) {
    select.dataset.drawn = drawn;
    select.replaceChildren(...wanted.map(([value, label]) => el('option', { value }, label)));
  }
  select.value = wanted.some(([id]) => id === chosen) ? chosen : '';
}
