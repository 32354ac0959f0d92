import { el, setAttr, setText } from '../../ui/dom';
import { icon } from './icons';

/**
 * A dialog over the page: it slides up on a phone held upright and comes from the side elsewhere. While it is open the
 * rest of the page is out of reach; Escape, a tap beside it and its button close it.
 */
export class Sheet {
  readonly root: HTMLElement;
  readonly body = el('div', { class: 'sheet-body' });
  private readonly heading: HTMLElement;
  private readonly closer = el('button', { class: 'round small', type: 'button' }, icon('close'));
  private readonly scrim = el('div', { class: 'scrim' });
  private readonly panel: HTMLElement;
  private opener: Element | null = null;

  constructor(
    readonly name: string,
    private readonly rest: readonly HTMLElement[],
  ) {
    this.heading = el('h2', { class: 'sheet-title', id: `sheet-${name}` });
    this.panel = el('section', { class: 'sheet', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': `sheet-${name}`, 'data-sheet': name }, el('header', { class: 'sheet-head' }, this.heading, this.closer), this.body);
    this.root = el('div', { class: 'sheet-layer' }, this.scrim, this.panel);
    this.root.inert = true;
    this.closer.addEventListener('click', () => this.close());
    this.scrim.addEventListener('click', () => this.close());
    document.addEventListener('keydown', (e) => e.key === 'Escape' && this.close());
  }

  get isOpen(): boolean {
    return this.root.hasAttribute('data-open');
  }

  open(): void {
    if (this.isOpen) return;
    this.opener = document.activeElement;
    this.set(true);
    this.body.scrollTop = 0;
    this.closer.focus({ preventScroll: true });
  }

  close(): void {
    if (!this.isOpen) return;
    this.set(false);
    if (this.opener instanceof HTMLElement) this.opener.focus({ preventScroll: true });
  }

  render(title: string, closeLabel: string): void {
    setText(this.heading, title);
    setAttr(this.closer, 'aria-label', closeLabel);
  }

  private set(open: boolean): void {
    setAttr(this.root, 'data-open', open);
    this.root.inert = !open;
    for (const r of this.rest) r.inert = open;
  }
}
