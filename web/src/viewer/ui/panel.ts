import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import { el, setAttr, setText, show } from '../../ui/dom';
import { icon } from './icons';
import type { Actions, View } from './view';

interface Words {
  readonly title: MessageKey;
  readonly text: MessageKey;
  readonly more?: MessageKey;
  readonly action?: { readonly label: MessageKey; readonly act: (a: Actions) => void };
}

export type PanelWords = Partial<Record<View['phase'] | 'unsupported', Words>>;

const panels: PanelWords = {
  waiting: { title: 'waiting.title', text: 'waiting.text' },
  ended: { title: 'ended.title', text: 'ended.text', action: { label: 'ended.replay', act: (a) => a.watchReplay() } },
  unknown: { title: 'unknown.title', text: 'unknown.text' },
  failed: { title: 'failed.title', text: 'failed.text', action: { label: 'trouble.retry', act: (a) => a.retry() } },
  unsupported: { title: 'unsupported.title', text: 'unsupported.text' },
};

/** What stands in the middle of the stage when there is no picture to watch. */
export class Panel {
  private readonly title = el('h2', { class: 'panel-title' });
  private readonly text = el('p', { class: 'panel-text' });
  private readonly more = el('p', { class: 'panel-more' });
  private readonly button = el('button', { class: 'primary', type: 'button' });
  private readonly remind = el('button', { class: 'primary remind', type: 'button' }, icon('bell'), el('span'));
  private readonly reminded = el('p', { class: 'panel-more', role: 'status' });
  private nextShow = '';
  readonly root = el('section', { class: 'panel', 'aria-live': 'polite' }, el('span', { class: 'panel-glow', 'aria-hidden': 'true' }), this.title, this.text, this.more, this.button, this.remind, this.reminded);

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
    private readonly other: PanelWords = {},
  ) {
    this.remind.addEventListener('click', () => void this.askReminder());
  }

  private async askReminder(): Promise<void> {
    this.remind.disabled = true;
    setText(this.reminded, await this.actions.remind(this.nextShow));
    this.remind.disabled = false;
  }

  /** The next show of the room, and the wish to be told when it begins. */
  private renderNext(view: View): void {
    const next = view.phase === 'waiting' || view.phase === 'ended' ? view.nextShow : null;
    show(this.remind, next !== null);
    show(this.reminded, next !== null);
    if (!next) return;
    if (this.nextShow !== next.id) setText(this.reminded, '');
    this.nextShow = next.id;
    const at = next.scheduledMs === null ? '' : new Intl.DateTimeFormat(this.i18n.lang, { dateStyle: 'medium', timeStyle: 'short' }).format(next.scheduledMs);
    if (this.remind.lastElementChild) setText(this.remind.lastElementChild, this.i18n.t('remind.me'));
    if (at !== '') {
      setText(this.more, this.i18n.t('remind.next', { at }));
      show(this.more, true);
    }
  }

  render(view: View): void {
    const kind = view.unsupported ? 'unsupported' : view.phase;
    const words = this.other[kind] ?? panels[kind];
    show(this.root, words !== undefined);
    setAttr(this.root, 'data-kind', kind);
    if (!words) return;
    setText(this.title, this.i18n.t(words.title));
    setText(this.text, this.i18n.t(words.text));
    const more = this.moreOf(view);
    setText(this.more, more ? this.i18n.t(more) : '');
    show(this.more, more !== null);
    this.renderNext(view);
    const { action } = words;
    show(this.button, action !== undefined && !(view.phase === 'ended' && view.durationMs === 0));
    if (!action) return;
    setText(this.button, this.i18n.t(action.label));
    this.button.onclick = () => action.act(this.actions);
  }

  private moreOf(view: View): MessageKey | null {
    if (view.phase === 'waiting' && view.products.length > 0) return 'waiting.products';
    return view.phase === 'ended' && view.replayComing ? 'ended.preparing' : null;
  }
}

/** Calm notices over the picture: the host is away, the network is, the sound is off. */
export class Notices {
  private readonly words = el('strong');
  private readonly detail = el('span', { class: 'notice-detail' });
  private readonly again = el('button', { class: 'link', type: 'button' });
  private readonly notice = el('div', { class: 'notice', role: 'status' }, el('span', { class: 'pulse', 'aria-hidden': 'true' }), el('span', { class: 'notice-text' }, this.words, this.detail), this.again);
  private readonly soundText = el('span');
  private readonly sound = el('button', { class: 'sound-pill', type: 'button' }, icon('muted'), this.soundText);
  private readonly tap = el('button', { class: 'big-play', type: 'button' }, icon('play'));
  private readonly spinner = el('div', { class: 'spinner', role: 'status' });
  readonly root = el('div', { class: 'notices' }, this.notice, this.sound);
  readonly middle = el('div', { class: 'middle' }, this.spinner, this.tap);

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
  ) {
    this.again.addEventListener('click', () => actions.retry());
    this.sound.addEventListener('click', () => actions.toggleSound());
    this.tap.addEventListener('click', () => actions.toggle());
  }

  render(view: View): void {
    const watching = view.phase === 'live' || view.phase === 'replay' || view.phase === 'shift';
    this.renderNotice(view, watching);
    show(this.sound, watching && view.muted && !view.paused && !view.buffering);
    setText(this.soundText, this.i18n.t('control.tapForSound'));
    show(this.tap, watching && view.paused && !view.unsupported);
    setAttr(this.tap, 'aria-label', this.i18n.t('control.play'));
    show(this.spinner, view.buffering && !view.paused && watching && !view.trouble);
    setAttr(this.spinner, 'aria-label', this.i18n.t('buffering'));
  }

  private renderNotice(view: View, watching: boolean): void {
    const { trouble } = view;
    const reconnecting = view.phase === 'reconnecting';
    const stuck = watching && trouble !== null && (view.buffering || view.paused);
    show(this.notice, reconnecting || stuck);
    setAttr(this.notice, 'data-kind', reconnecting ? 'host' : 'trouble');
    show(this.again, !reconnecting && trouble !== null);
    show(this.detail, reconnecting);
    setText(this.again, this.i18n.t('trouble.retry'));
    if (reconnecting) {
      setText(this.words, this.i18n.t('reconnecting.title'));
      setText(this.detail, this.i18n.t('reconnecting.text'));
    } else if (trouble) {
      setText(this.words, this.i18n.t(`trouble.${trouble.reason}`));
    }
  }
}
