import { el, setAttr, setText, show } from '../../ui/dom';
import type { Said } from '../../timeline/talk';
import type { I18n } from '../i18n';
import { icon } from './icons';

export interface TalkActions {
  /** Says something; resolves to what went wrong, in words, or null. */
  say(text: string): Promise<string | null>;
  like(): void;
  productTitle(id: string): string;
}

/** What viewers say over the picture, and the line in which they say it. */
export class TalkView {
  readonly feed = el('ul', { class: 'talk-feed', 'aria-live': 'off' });
  readonly row: HTMLElement;
  private readonly input = el('input', { class: 'say-input', type: 'text', maxlength: '200', enterkeyhint: 'send', autocomplete: 'off' });
  private readonly sendButton = el('button', { class: 'round say-send', type: 'submit' }, icon('send'));
  private readonly likeCount = el('span', { class: 'like-count' });
  private readonly likeButton = el('button', { class: 'round like', type: 'button' }, icon('heart'), this.likeCount);
  private readonly problem = el('p', { class: 'say-problem', role: 'alert' });
  private drawn = '';

  constructor(
    private readonly i18n: I18n,
    private readonly actions: TalkActions,
  ) {
    show(this.problem, false);
    const form = el('form', { class: 'say' }, this.input, this.sendButton);
    form.addEventListener('submit', (e) => {
      e.preventDefault();
      void this.send();
    });
    this.likeButton.addEventListener('click', () => {
      this.actions.like();
      this.burst();
    });
    this.row = el('div', { class: 'talk-row' }, this.problem, form, this.likeButton);
  }

  render(said: readonly Said[], likes: number | null, open: boolean): void {
    show(this.row, open);
    setAttr(this.input, 'placeholder', this.i18n.t('talk.say'));
    setAttr(this.input, 'aria-label', this.i18n.t('talk.say'));
    setAttr(this.sendButton, 'aria-label', this.i18n.t('talk.send'));
    setAttr(this.likeButton, 'aria-label', this.i18n.t('talk.like', { count: likes ?? 0 }));
    setText(this.likeCount, likes ? new Intl.NumberFormat(this.i18n.lang, { notation: 'compact' }).format(likes) : '');
    const drawn = JSON.stringify([this.i18n.lang, said.map((s) => s.id)]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.feed.replaceChildren(...said.map((s) => this.line(s)));
  }

  private line(s: Said): HTMLElement {
    if (s.kind === 'order') return el('li', { 'data-kind': 'order' }, this.i18n.t('talk.bought', { name: s.name.replace(/\*/g, '') === '' ? this.i18n.t('talk.somebody') : s.name, title: this.actions.productTitle(s.productId) }));
    return el('li', {}, s.name ? el('b', {}, s.name) : null, el('span', {}, s.text));
  }

  private async send(): Promise<void> {
    const text = this.input.value.trim();
    if (text === '') return;
    this.sendButton.disabled = true;
    const problem = await this.actions.say(text);
    this.sendButton.disabled = false;
    setText(this.problem, problem ?? '');
    show(this.problem, problem !== null);
    if (problem === null) this.input.value = '';
    this.input.focus({ preventScroll: true });
  }

  /** A heart that rises. One at a time is enough of a thank-you. */
  private burst(): void {
    const heart = el('span', { class: 'heart', 'aria-hidden': 'true' }, icon('heart'));
    heart.addEventListener('animationend', () => heart.remove());
    this.likeButton.append(heart);
    if (this.likeButton.querySelectorAll('.heart').length > 6) this.likeButton.querySelector('.heart')?.remove();
  }
}
