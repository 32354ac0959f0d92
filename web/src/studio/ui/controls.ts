import { el, setAttr, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import { sending } from '../phase';
import { icon } from './icons';
import type { Actions, View } from './view';

/** The row under the thumb: microphone, camera, go live or end, products, settings. */
export class Controls {
  readonly mic = el('button', { class: 'round mic', type: 'button', 'data-testid': 'mic' }, el('span', { class: 'level', 'aria-hidden': 'true' }), icon('mic'), icon('micOff'));
  private readonly flip = el('button', { class: 'round', type: 'button', 'data-testid': 'flip' }, icon('flip'));
  private readonly word = el('span');
  private readonly go = el('button', { class: 'go', type: 'button', 'data-testid': 'go' }, el('i', { 'aria-hidden': 'true' }), this.word);
  private readonly bag = el('button', { class: 'round bag-button', type: 'button', 'data-testid': 'all-products' }, icon('bag'));
  private readonly gear = el('button', { class: 'round', type: 'button', 'data-testid': 'settings' }, icon('gear'));
  readonly root = el('nav', { class: 'controls' }, this.mic, this.flip, this.go, this.bag, this.gear);
  private view: View | null = null;

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
    open: { settings(): void; products(): void; end(): void },
  ) {
    this.mic.addEventListener('click', () => actions.toggleMute());
    this.flip.addEventListener('click', () => actions.flip());
    this.bag.addEventListener('click', () => open.products());
    this.gear.addEventListener('click', () => open.settings());
    this.go.addEventListener('click', () => {
      const phase = this.view?.phase;
      if (phase === 'live' || phase === 'reconnecting') open.end();
      else if (phase === 'connecting') actions.end();
      else actions.goLive();
    });
  }

  /** How loud it is, 0 to 1; null while nothing is heard. */
  level(share: number | null): void {
    this.mic.style.setProperty('--level', (share ?? 0).toFixed(2));
  }

  render(view: View): void {
    this.view = view;
    const open = view.phase !== 'loading' && view.phase !== 'unknown' && view.phase !== 'failed' && view.phase !== 'locked';
    show(this.root, open);
    const on = view.camera === 'on' && view.phase !== 'ended';
    show(this.mic, on);
    show(this.flip, on && view.cameras.length > 1);
    show(this.bag, view.phase !== 'ended');
    setAttr(this.mic, 'data-face', view.muted || !view.hasMicrophone ? 'second' : 'first');
    setAttr(this.mic, 'aria-pressed', view.muted ? 'true' : 'false');
    this.mic.disabled = !view.hasMicrophone;
    setAttr(this.mic, 'aria-label', this.i18n.t(view.muted ? 'control.unmute' : 'control.mute'));
    setAttr(this.flip, 'aria-label', this.i18n.t('control.flip'));
    setAttr(this.bag, 'aria-label', this.i18n.t('control.products'));
    setAttr(this.gear, 'aria-label', this.i18n.t('control.settings'));
    this.renderGo(view, on);
  }

  private renderGo(view: View, on: boolean): void {
    const busy = sending(view.phase);
    show(this.go, view.phase !== 'ended' && (on || busy));
    setAttr(this.go, 'data-does', view.phase === 'connecting' ? 'cancel' : busy ? 'end' : 'start');
    this.go.disabled = view.busy;
    const start = view.phase === 'elsewhere' ? 'go.takeover' : view.resumable ? 'go.resume' : 'go.live';
    setText(this.word, this.i18n.t(view.phase === 'connecting' ? 'go.cancel' : busy ? 'go.end' : start));
  }
}
