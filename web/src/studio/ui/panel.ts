import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import { icon } from './icons';
import type { Actions, View } from './view';

interface Words {
  readonly kind: string;
  readonly title: string;
  readonly text: string;
  readonly action?: { readonly label: MessageKey; readonly act: () => void };
  readonly link?: Link;
  readonly more?: Link;
}

interface Link {
  readonly label: MessageKey;
  readonly href: string;
}

/** What stands in the middle while there is no picture: the key, the camera's permission, the end of a show. */
export class Panel {
  private readonly mark = el('span', { class: 'panel-mark', 'aria-hidden': 'true' }, icon('lock'), icon('camera'), icon('check'), icon('warning'));
  private readonly title = el('h2', { class: 'panel-title' });
  private readonly text = el('p', { class: 'panel-text' });
  private readonly button = el('button', { class: 'primary', type: 'button' });
  private readonly link = el('a', { class: 'secondary', target: '_blank', rel: 'noopener' });
  private readonly more = el('a', { class: 'secondary', target: '_blank', rel: 'noopener', 'data-testid': 'more' });
  private readonly input = el('input', { class: 'field', type: 'password', name: 'stream-key', id: 'stream-key', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', enterkeyhint: 'go', 'data-testid': 'key' });
  private readonly peek = el('button', { class: 'peek', type: 'button' }, icon('eye'), icon('eyeOff'));
  private readonly enter = el('button', { class: 'primary', type: 'submit', 'data-testid': 'enter-key' });
  private readonly label = el('label', { class: 'sr-only', for: 'stream-key' });
  private readonly problem = el('p', { class: 'field-problem', role: 'alert' });
  private readonly form = el('form', { class: 'key-form', novalidate: true }, this.label, el('span', { class: 'field-box' }, this.input, this.peek), this.problem, this.enter);
  readonly root = el('section', { class: 'panel' }, this.mark, this.title, this.text, this.form, this.button, this.link, this.more);

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
  ) {
    this.form.addEventListener('submit', (e) => {
      e.preventDefault();
      const key = this.input.value.trim();
      if (key === '') { this.input.focus(); return; }
      actions.enterKey(key);
    });
    this.input.addEventListener('input', () => show(this.problem, false));
    this.peek.addEventListener('click', () => {
      this.input.type = this.input.type === 'password' ? 'text' : 'password';
      this.renderPeek();
    });
  }

  render(view: View): void {
    const words = this.words(view);
    show(this.root, words !== null);
    if (!words) return;
    setAttr(this.root, 'data-kind', words.kind);
    setText(this.title, words.title);
    setText(this.text, words.text);
    this.renderForm(view);
    const { action, link, more } = words;
    show(this.button, action !== undefined);
    if (action) {
      setText(this.button, this.i18n.t(action.label));
      this.button.onclick = () => action.act();
    }
    this.renderLink(this.link, link);
    this.renderLink(this.more, more);
  }

  private renderLink(at: HTMLElement, link: Link | undefined): void {
    show(at, link !== undefined);
    if (!link) return;
    setText(at, this.i18n.t(link.label));
    setAttr(at, 'href', link.href);
  }

  private words(view: View): Words | null {
    const { t } = { t: this.i18n.t.bind(this.i18n) };
    switch (view.phase) {
      case 'loading':
        return null;
      case 'unknown':
        return { kind: 'problem', title: t('unknown.title'), text: t('unknown.text') };
      case 'failed':
        return { kind: 'problem', title: t('failed.title'), text: t('failed.text'), action: { label: 'retry', act: () => this.actions.retry() } };
      case 'locked':
        return { kind: 'key', title: t('key.title'), text: t('key.text') };
      case 'ended':
        return this.ended(view);
      case 'elsewhere':
        return view.camera === 'on' ? null : this.elsewhere(view);
      default:
        return view.camera === 'on' ? null : this.camera(view);
    }
  }

  private ended(view: View): Words {
    const time = view.endedMs === null ? null : position(view.endedMs);
    return {
      kind: 'done',
      title: this.i18n.t('ended.title'),
      text: time === null ? this.i18n.t('ended.textShort') : this.i18n.t('ended.text', { time }),
      action: { label: 'ended.again', act: () => this.actions.leaveEnded() },
      ...(view.watchUrl === null ? {} : { link: { label: 'ended.watch', href: view.watchUrl } }),
      ...(view.endedEditor === null ? {} : { more: { label: 'ended.edit', href: view.endedEditor } }),
    };
  }

  private elsewhere(view: View): Words {
    return {
      kind: 'camera',
      title: this.i18n.t('elsewhere.title', { encoder: shortName(view.publisher?.encoder ?? '') || this.i18n.t('elsewhere.someone') }),
      text: this.i18n.t('elsewhere.text'),
      action: { label: 'elsewhere.action', act: () => this.actions.openCamera() },
    };
  }

  private camera(view: View): Words {
    const state = view.camera === 'off' || view.camera === 'on' ? 'ask' : view.camera;
    const title = this.i18n.t(`camera.${state}.title`);
    const text = this.i18n.t(`camera.${state}.text`);
    const kind = state === 'ask' || state === 'asking' ? 'camera' : 'problem';
    if (state === 'insecure') return this.insecure(view, title, text);
    if (state === 'asking' || state === 'unsupported' || state === 'missing') return { kind, title, text };
    return { kind, title, text, action: { label: state === 'ask' ? 'camera.ask.action' : 'retry', act: () => this.actions.openCamera() } };
  }

  private insecure(view: View, title: string, text: string): Words {
    const words = { kind: 'problem', title, text };
    const { secureUrl, trustUrl } = view;
    const open = secureUrl === null ? {} : { action: { label: 'camera.insecure.open' as const, act: () => location.assign(secureUrl) } };
    if (trustUrl !== null) return { ...words, ...open, link: { label: 'camera.insecure.trust', href: trustUrl } };
    return secureUrl === null ? { ...words, text: `${text} ${this.i18n.t('camera.insecure.ask')}` } : { ...words, ...open };
  }

  private renderForm(view: View): void {
    const wanted = view.phase === 'locked';
    show(this.form, wanted);
    if (!wanted) return;
    setText(this.label, this.i18n.t('key.label'));
    setAttr(this.input, 'placeholder', this.i18n.t('key.label'));
    const checking = view.key === 'checking';
    this.enter.disabled = checking;
    setText(this.enter, this.i18n.t(checking ? 'key.checking' : 'key.enter'));
    const problem = view.key === 'wrong' ? this.i18n.t('key.wrong') : view.key === 'many' ? this.i18n.t('key.many') : '';
    if (this.problem.textContent !== problem) {
      setText(this.problem, problem);
      show(this.problem, problem !== '');
    }
    setAttr(this.input, 'aria-invalid', view.key === 'wrong' ? 'true' : null);
    this.renderPeek();
  }

  private renderPeek(): void {
    const shown = this.input.type === 'text';
    setAttr(this.peek, 'data-face', shown ? 'second' : 'first');
    setAttr(this.peek, 'aria-label', this.i18n.t(shown ? 'key.hide' : 'key.show'));
  }
}

/** What an encoder is called among people: the first word of what it calls itself. A browser's has no meaning. */
function shortName(encoder: string): string {
  if (encoder.startsWith('Mozilla/')) return '';
  if (/^obs\b/i.test(encoder)) return 'OBS';
  if (encoder.startsWith('Lavf')) return 'ffmpeg';
  return encoder.split(/[\s/(]/)[0]?.slice(0, 24) ?? '';
}
