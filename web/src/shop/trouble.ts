import type { I18n } from '../viewer/i18n';
import { el, setText, show } from '../ui/dom';
import { Refused, Unreachable } from './client';

/** What went wrong, in words for whoever shops. */
export function troubleText(why: unknown, i18n: I18n): string {
  if (why instanceof Unreachable) return i18n.t('shop.unreachable');
  if (why instanceof Refused && why.status === 429) return i18n.t('shop.tooFast');
  if (why instanceof Refused && why.message !== '' && why.status < 500) return why.message;
  return i18n.t('shop.failed');
}

/** A line that says what went wrong, where it went wrong. */
export class Trouble {
  private readonly text = el('span');
  private readonly again = el('button', { class: 'link', type: 'button' });
  readonly root = el('p', { class: 'shop-trouble', role: 'alert' }, this.text, this.again);
  private retry: (() => void) | null = null;

  constructor(private readonly i18n: I18n) {
    this.again.addEventListener('click', () => this.retry?.());
    this.clear();
  }

  clear(): void {
    show(this.root, false);
  }

  tell(why: unknown, retry: (() => void) | null = null): void {
    setText(this.text, troubleText(why, this.i18n));
    setText(this.again, this.i18n.t('trouble.retry'));
    this.retry = retry;
    show(this.again, retry !== null);
    show(this.root, true);
    this.root.scrollIntoView({ block: 'nearest' });
  }
}
