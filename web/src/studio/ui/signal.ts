import { el, setAttr } from '../../ui/dom';

/** Four bars that rise with the quality of the connection. */
export class Signal {
  readonly root = el('span', { class: 'signal', 'aria-hidden': 'true' }, el('i'), el('i'), el('i'), el('i'));

  render(level: number | null): void {
    setAttr(this.root, 'data-level', level === null ? 'off' : String(level));
  }
}
