import { el, setAttr, setText } from '../../ui/dom';

export interface Tab {
  readonly name: string;
  readonly panel: HTMLElement;
  label(): string;
  /** A number beside the label, null for none. */
  count(): number | null;
}

/** Panels of which one is seen; arrow keys go from tab to tab. */
export class Tabs {
  readonly root: HTMLElement;
  private readonly buttons: HTMLButtonElement[];
  private current = 0;

  constructor(private readonly tabs: readonly Tab[]) {
    this.buttons = tabs.map((t, i) => {
      const b = el('button', { class: 'tab', type: 'button', role: 'tab', id: `tab-${t.name}`, 'aria-controls': `panel-${t.name}`, 'data-testid': `tab-${t.name}` }, el('span'), el('small'));
      b.addEventListener('click', () => this.go(i));
      setAttr(t.panel, 'id', `panel-${t.name}`);
      setAttr(t.panel, 'role', 'tabpanel');
      setAttr(t.panel, 'aria-labelledby', `tab-${t.name}`);
      return b;
    });
    const list = el('div', { class: 'tabs', role: 'tablist' }, ...this.buttons);
    list.addEventListener('keydown', (e) => {
      const way = e.key === 'ArrowLeft' ? -1 : e.key === 'ArrowRight' ? 1 : 0;
      if (way === 0) return;
      e.preventDefault();
      e.stopPropagation();
      this.go((this.current + way + this.tabs.length) % this.tabs.length);
      this.buttons[this.current]?.focus();
    });
    this.root = el('aside', { class: 'side' }, list, ...tabs.map((t) => t.panel));
    this.go(0);
  }

  open(name: string): void {
    this.go(this.tabs.findIndex((t) => t.name === name));
  }

  render(label: string): void {
    setAttr(this.root, 'aria-label', label);
    this.tabs.forEach((t, i) => {
      const [words, count] = [this.buttons[i]?.children[0], this.buttons[i]?.children[1]];
      if (words) setText(words, t.label());
      const n = t.count();
      if (count) setText(count, n === null ? '' : String(n));
    });
  }

  private go(to: number): void {
    this.current = Math.max(0, to);
    this.tabs.forEach((t, i) => {
      const here = i === this.current;
      t.panel.hidden = !here;
      const b = this.buttons[i];
      if (!b) return;
      setAttr(b, 'aria-selected', here ? 'true' : 'false');
      b.tabIndex = here ? 0 : -1;
    });
  }
}
