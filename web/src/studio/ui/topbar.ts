import { el, setAttr, setText, show } from '../../ui/dom';
import { position } from '../../ui/time';
import type { I18n } from '../i18n';
import { icon } from './icons';
import { Signal } from './signal';
import type { View } from './view';

/** The line over the picture: on air or not and for how long, how many watch, how well it gets out. */
export class TopBar {
  readonly root: HTMLElement;
  private readonly title = el('h1', { class: 'title' });
  private readonly word = el('span', { class: 'badge-word' });
  private readonly time = el('span', { class: 'badge-time', 'data-testid': 'elapsed' });
  private readonly badge = el('span', { class: 'badge', 'data-testid': 'state', role: 'status' }, this.word, this.time);
  private readonly count = el('span', { 'data-testid': 'viewers' });
  private readonly viewers = el('span', { class: 'fact' }, icon('eye'), this.count);
  private readonly signal = new Signal();
  private readonly speed = el('span', { class: 'speed' });
  private readonly health = el('button', { class: 'fact tappable', type: 'button', 'data-testid': 'signal' }, this.signal.root, this.speed);
  private readonly language = el('button', { class: 'fact tappable language', type: 'button' });

  constructor(
    private readonly i18n: I18n,
    openHealth: () => void,
  ) {
    this.root = el('header', { class: 'topbar' }, this.title, el('div', { class: 'facts' }, this.badge, this.viewers, el('span', { class: 'spring' }), this.health, this.language));
    this.health.addEventListener('click', openHealth);
    this.language.addEventListener('click', () => i18n.toggle());
  }

  render(view: View): void {
    const { i18n } = this;
    setText(this.title, view.title);
    const counting = view.elapsedMs !== null && (view.phase === 'live' || view.phase === 'reconnecting' || view.phase === 'elsewhere');
    setText(this.word, i18n.t(`state.${view.phase}`));
    setText(this.time, counting ? position(view.elapsedMs) : '');
    show(this.time, counting);
    setAttr(this.badge, 'data-state', view.phase);
    show(this.badge, view.phase !== 'loading' && view.phase !== 'unknown' && view.phase !== 'failed' && view.phase !== 'locked');
    const watched = view.viewers !== null && (view.phase === 'live' || view.phase === 'reconnecting' || view.phase === 'elsewhere');
    show(this.viewers, watched);
    if (watched) {
      const count = new Intl.NumberFormat(i18n.lang, { notation: 'compact' }).format(view.viewers);
      setText(this.count, count);
      setAttr(this.viewers, 'title', i18n.t('viewers', { count }));
    }
    this.renderHealth(view);
    show(this.language, view.phase !== 'live' && view.phase !== 'reconnecting' && view.phase !== 'connecting');
    setText(this.language, i18n.t('lang.toggle'));
    setAttr(this.language, 'aria-label', i18n.t('lang.toggleLabel'));
  }

  private renderHealth(view: View): void {
    const bps = view.quality?.bitrateBps ?? (view.phase === 'elsewhere' ? view.publisher?.bitrateBps : undefined);
    show(this.health, view.phase === 'live' || view.phase === 'reconnecting' || view.phase === 'elsewhere' || view.phase === 'connecting');
    const level = view.phase === 'reconnecting' ? 0 : (view.quality?.level ?? (view.phase === 'elsewhere' ? 4 : null));
    this.signal.render(level);
    setText(this.speed, bps === undefined ? '' : (bps / 1e6).toFixed(1));
    const words = level === null ? this.i18n.t('quality.off') : this.i18n.t(`quality.${level}`);
    setAttr(this.health, 'aria-label', `${this.i18n.t('control.health')}: ${words}`);
    setAttr(this.health, 'title', words);
    setAttr(this.health, 'data-warned', view.warnings.length > 0);
  }
}
