import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import { el, setAttr, setText, show } from '../../ui/dom';
import { icon } from './icons';
import type { View } from './view';

/** The line over the picture: who, which state, how late, how many, which language. */
export class TopBar {
  readonly root: HTMLElement;
  private readonly title = el('h1', { class: 'title' });
  private readonly badge = el('span', { class: 'badge', 'data-testid': 'state' });
  private readonly latency = el('span', { class: 'fact latency', 'data-testid': 'latency' });
  private readonly count = el('span');
  private readonly viewers = el('span', { class: 'fact viewers' }, icon('eye'), this.count);
  private readonly language = el('button', { class: 'language', type: 'button' });

  constructor(
    private readonly i18n: I18n,
    private readonly instead?: MessageKey,
  ) {
    const facts = el('div', { class: 'facts' }, this.badge, this.latency, this.viewers);
    this.root = el('header', { class: 'topbar' }, el('div', { class: 'who' }, this.title, facts), this.language);
    this.language.addEventListener('click', () => i18n.toggle());
  }

  render(view: View): void {
    const { t } = { t: this.i18n.t.bind(this.i18n) };
    setText(this.title, view.title);
    setAttr(this.title, 'data-empty', view.title === '');
    setText(this.badge, t(this.instead && view.phase === 'replay' ? this.instead : (`state.${view.phase}` satisfies MessageKey)));
    setAttr(this.badge, 'data-state', view.phase);
    this.renderLatency(view);
    show(this.viewers, view.viewers !== null && view.phase === 'live');
    if (view.viewers !== null) {
      const count = new Intl.NumberFormat(this.i18n.lang, { notation: 'compact' }).format(view.viewers);
      setText(this.count, count);
      setAttr(this.viewers, 'title', t('live.viewers', { count }));
    }
    setText(this.language, t('lang.toggle'));
    setAttr(this.language, 'aria-label', t('lang.toggleLabel'));
  }

  private renderLatency(view: View): void {
    show(this.latency, view.phase === 'live' && view.latencyMs !== null);
    if (view.latencyMs === null) return;
    const seconds = (Math.max(0, view.latencyMs) / 1000).toFixed(1);
    setText(this.latency, this.i18n.t('live.latency', { seconds }));
    setAttr(this.latency, 'title', this.i18n.t('live.latencyLabel', { seconds }));
  }
}
