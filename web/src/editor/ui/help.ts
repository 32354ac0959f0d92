import { el, setText } from '../../ui/dom';
import type { I18n } from '../i18n';
import { Dialog } from './dialog';

const keys = [
  ['Space K', 'key.play'], ['P', 'key.playSelection'], ['← →', 'key.second'], ['J L · ⇧← ⇧→', 'key.ten'], [', . · Alt ← →', 'key.frame'], ['Home End', 'key.ends'],
  ['I O', 'key.edges'], ['Esc', 'key.clear'], ['X Delete', 'key.cut'], ['R', 'key.restore'], ['S', 'key.split'],
  ['Ctrl Z', 'key.undo'], ['⇧ Ctrl Z', 'key.redo'], ['+ −', 'key.zoom'], ['F', 'key.fit'],
] as const;
const gestures = ['gesture.wheel', 'gesture.shift', 'gesture.double', 'gesture.alt', 'gesture.touch'] as const;

/** What keys and gestures do. */
export class Help {
  readonly dialog: Dialog;
  private readonly list = el('dl', { class: 'keys' });
  private readonly more = el('ul', { class: 'gestures' });

  constructor(
    private readonly i18n: I18n,
    rest: () => readonly HTMLElement[],
  ) {
    this.dialog = new Dialog('keys', rest);
    for (const [key] of keys) this.list.append(el('div', {}, el('dt', {}, ...key.split(' ').map((k) => (k === '·' ? el('span', {}, '·') : el('kbd', {}, k)))), el('dd')));
    this.more.append(...gestures.map(() => el('li')));
    this.dialog.body.append(this.list, this.more);
  }

  render(): void {
    const { i18n } = this;
    this.dialog.render(i18n.t('keys.title'), i18n.t('close'));
    keys.forEach(([, message], i) => {
      const words = this.list.children[i]?.querySelector('dd');
      if (words) setText(words, i18n.t(message));
    });
    gestures.forEach((message, i) => {
      const line = this.more.children[i];
      if (line) setText(line, i18n.t(message));
    });
  }
}
