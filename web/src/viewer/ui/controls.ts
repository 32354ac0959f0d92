import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import { el, setAttr, setText, show } from '../../ui/dom';
import { icon, type IconName } from './icons';
import { Scrubber } from './scrubber';
import type { Actions, View } from './view';

/** A round button that shows one of two icons. */
function twoFaced(on: IconName, off: IconName): HTMLButtonElement {
  return el('button', { class: 'round', type: 'button' }, icon(on), icon(off));
}

/** The row at the bottom, with the scrubber of a replay above it. */
export class Controls {
  readonly root: HTMLElement;
  readonly bag = el('button', { class: 'bag-button', type: 'button' }, icon('bag'));
  private readonly bagCount = el('span', { class: 'count', 'aria-hidden': 'true' });
  private readonly play = twoFaced('play', 'pause');
  private readonly sound = twoFaced('muted', 'sound');
  private readonly fullscreen = twoFaced('fullscreen', 'shrink');
  private readonly back = el('button', { class: 'round', type: 'button' }, icon('rewind'));
  private readonly talk = twoFaced('talk', 'noTalk');
  private readonly jump = el('button', { class: 'jump', type: 'button' });
  private readonly scrubber: Scrubber;
  private readonly row: HTMLElement;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
    private readonly full: { readonly possible: boolean; readonly active: boolean; toggle(): void },
  ) {
    this.bag.append(this.bagCount);
    this.scrubber = new Scrubber(i18n, actions);
    this.row = el('div', { class: 'row' }, this.bag, this.play, this.back, this.sound, this.talk, el('span', { class: 'spring' }), this.jump, this.fullscreen);
    this.root = el('div', { class: 'controls' }, this.scrubber.root, this.row);
    this.play.addEventListener('click', () => actions.toggle());
    this.sound.addEventListener('click', () => actions.toggleSound());
    this.back.addEventListener('click', () => actions.back());
    this.talk.addEventListener('click', () => actions.toggleTalk());
    this.fullscreen.addEventListener('click', () => full.toggle());
    this.bag.addEventListener('click', () => actions.openBag());
  }

  render(view: View): void {
    const past = view.phase === 'replay' || view.phase === 'shift';
    const playable = view.phase === 'live' || past || view.phase === 'reconnecting';
    for (const b of [this.play, this.sound]) show(b, playable);
    show(this.back, view.canGoBack && (view.phase === 'live' || past));
    setAttr(this.back, 'aria-label', this.i18n.t('control.back'));
    setAttr(this.back, 'title', this.i18n.t('control.back'));
    show(this.talk, past);
    this.face(this.talk, view.talkShown, 'talk.hide', 'talk.show');
    show(this.fullscreen, playable && this.full.possible);
    this.face(this.play, view.paused, 'control.play', 'control.pause');
    this.face(this.sound, view.muted, 'control.unmute', 'control.mute');
    this.face(this.fullscreen, !this.full.active, 'control.fullscreen', 'control.exitFullscreen');
    setText(this.bagCount, String(view.products.length));
    show(this.bagCount, view.products.length > 0);
    setAttr(this.bag, 'aria-label', this.i18n.t('bag.open', { count: view.products.length }));
    show(this.bag, view.phase !== 'unknown' && view.phase !== 'failed');
    this.renderJump(view);
    show(this.scrubber.root, past);
    if (past) this.scrubber.render(view);
  }

  private renderJump(view: View): void {
    const shifted = view.phase === 'shift';
    const at = shifted ? this.scrubber.root : this.row;
    if (this.jump.parentElement !== at) at.insertBefore(this.jump, shifted ? null : this.fullscreen);
    show(this.jump, shifted || view.liveElsewhere || (view.behindLive && view.phase === 'live'));
    setText(this.jump, this.i18n.t(view.liveElsewhere ? 'live.watch' : 'live.jump'));
    this.jump.onclick = () => (view.liveElsewhere || shifted ? this.actions.watchLive() : this.actions.jumpToLive());
  }

  private face(button: HTMLButtonElement, first: boolean, whenFirst: MessageKey, whenSecond: MessageKey): void {
    setAttr(button, 'data-face', first ? 'first' : 'second');
    setAttr(button, 'aria-label', this.i18n.t(first ? whenFirst : whenSecond));
  }
}
