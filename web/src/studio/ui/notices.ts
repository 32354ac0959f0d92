import { el, setAttr, setText, show } from '../../ui/dom';
import type { Warning } from '../api';
import type { I18n } from '../i18n';
import { icon } from './icons';
import type { View } from './view';

interface Notice {
  readonly tone: 'busy' | 'critical' | 'warning' | 'info';
  readonly title: string;
  readonly text: string;
}

/** What the anchor has to know now, over the picture: one thing at a time, the gravest first. */
export class Notices {
  private readonly strong = el('strong');
  private readonly text = el('span', { class: 'notice-text' });
  private readonly more = el('span', { class: 'notice-more' });
  private readonly notice = el(
    'button',
    { class: 'notice', type: 'button', 'data-testid': 'notice' },
    el('span', { class: 'notice-icon', 'aria-hidden': 'true' }, icon('warning'), icon('info'), el('span', { class: 'spinner' })),
    el('span', { class: 'notice-words' }, this.strong, this.text, this.more),
  );
  private readonly toast = el('div', { class: 'toast', role: 'alert', 'data-testid': 'toast' });
  readonly root = el('div', { class: 'notices', 'aria-live': 'polite' }, this.notice, this.toast);

  constructor(
    private readonly i18n: I18n,
    openHealth: () => void,
  ) {
    this.notice.addEventListener('click', openHealth);
  }

  render(view: View): void {
    const notice = this.ofState(view) ?? this.ofWarnings(view.warnings);
    show(this.notice, notice !== null);
    if (notice) {
      setAttr(this.notice, 'data-tone', notice.tone);
      setText(this.strong, notice.title);
      setText(this.text, notice.text);
      show(this.text, notice.text !== '');
    }
    const others = notice && notice.title === view.warnings[0]?.message ? view.warnings.length - 1 : 0;
    setText(this.more, others > 0 ? this.i18n.t('notice.more', { count: others }) : '');
    show(this.more, others > 0);
    setText(this.toast, view.toast);
    show(this.toast, view.toast !== '');
  }

  private ofState(view: View): Notice | null {
    const { t } = { t: this.i18n.t.bind(this.i18n) };
    const trouble = view.trouble === '' ? '' : t('notice.retryIn', { why: view.trouble });
    if (view.phase === 'reconnecting') return { tone: 'busy', title: t('notice.reconnecting'), text: trouble || t('notice.reconnectingText') };
    if (view.phase === 'connecting') return { tone: 'busy', title: t(view.connected ? 'notice.starting' : 'notice.connecting'), text: trouble };
    if (view.trouble !== '' && view.phase !== 'live') return { tone: 'critical', title: view.trouble, text: '' };
    if (view.stale && view.phase !== 'failed' && view.phase !== 'unknown') return { tone: 'busy', title: t('offline'), text: '' };
    if (view.phase === 'ready' && view.resumable) return { tone: 'warning', title: t('notice.waiting'), text: t('notice.waitingText') };
    return null;
  }

  private ofWarnings(warnings: readonly Warning[]): Notice | null {
    const [first] = warnings;
    return first ? { tone: first.severity, title: first.message, text: first.remedy } : null;
  }
}
