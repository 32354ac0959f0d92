import { el, show } from '../../ui/dom';
import { Button } from './icons';

/** Something that the page says and that goes again; with an action it stays until it is answered. */
export interface Toast {
  readonly text: string;
  readonly tone?: 'good' | 'bad';
  readonly action?: { readonly label: string; readonly act: () => void };
}

const forMs = 6_000;

/** The newest few things that the page has to say, read out as they come. */
export class Toasts {
  readonly root = el('div', { class: 'toasts', role: 'status', 'aria-live': 'polite', 'data-testid': 'toasts' });

  constructor(private readonly closeLabel: () => string) {}

  say(toast: Toast): void {
    const close = new Button('close', () => drop(), 'tool round');
    close.label(this.closeLabel());
    const node = el('div', { class: 'toast', 'data-tone': toast.tone ?? null }, el('p', {}, toast.text));
    const drop = (): void => node.remove();
    const { action } = toast;
    if (action) {
      const button = el('button', { class: 'secondary', type: 'button' }, action.label);
      button.addEventListener('click', () => {
        drop();
        action.act();
      });
      node.append(button);
    }
    node.append(close.root);
    this.root.append(node);
    while (this.root.children.length > 3) this.root.firstElementChild?.remove();
    if (!action) setTimeout(drop, toast.tone === 'bad' ? 2 * forMs : forMs);
    show(this.root, true);
  }
}
