import { el, setAttr, setText } from '../../ui/dom';
import { Button } from './icons';

/** A dialog over the page. While it is open the rest is out of reach; Escape and a click beside it close it. */
export class Dialog {
  readonly root: HTMLElement;
  readonly body = el('div', { class: 'dialog-body' });
  onClose: (() => void) | null = null;
  private readonly heading: HTMLElement;
  private readonly closer = new Button('close', () => this.close(), 'tool round');
  private opener: Element | null = null;

  constructor(
    name: string,
    private readonly rest: () => readonly HTMLElement[],
    private readonly mayClose = true,
  ) {
    this.heading = el('h2', { class: 'dialog-title', id: `dialog-${name}` });
    const panel = el('section', { class: 'dialog', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': `dialog-${name}`, 'data-testid': `dialog-${name}` }, el('header', { class: 'dialog-head' }, this.heading, mayClose ? this.closer.root : null), this.body);
    this.root = el('div', { class: 'dialog-layer', hidden: true }, panel);
    this.root.addEventListener('pointerdown', (e) => e.target === this.root && mayClose && this.close());
    this.root.addEventListener('keydown', (e) => {
      if (e.key !== 'Escape' || !mayClose) return;
      e.stopPropagation();
      this.close();
    });
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  open(first: HTMLElement | null = null): void {
    if (!this.isOpen) this.opener = document.activeElement;
    this.root.hidden = false;
    for (const r of this.rest()) r.inert = true;
    (first ?? (this.mayClose ? this.closer.root : this.body)).focus();
  }

  close(): void {
    if (!this.isOpen) return;
    this.root.hidden = true;
    for (const r of this.rest()) r.inert = false;
    if (this.opener instanceof HTMLElement) this.opener.focus();
    this.onClose?.();
  }

  render(title: string, closeLabel: string): void {
    setText(this.heading, title);
    this.closer.label(closeLabel);
    setAttr(this.root, 'data-closable', this.mayClose);
  }
}
