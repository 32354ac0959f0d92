import { el, setAttr, setText, show } from '../ui/dom';
import type { I18n } from '../viewer/i18n';
import { icon } from '../viewer/ui/icons';
import type { Clip } from './clip-api';

const saidForMs = 2_500;

/** What a viewer may do with a clip: pass it on, keep it, watch the show that it is from. */
export class ClipBar {
  private readonly whole = el('a', { class: 'clip-whole' });
  private readonly share = el('button', { class: 'round', type: 'button' }, icon('share'));
  private readonly save = el('a', { class: 'round', download: true }, icon('download'));
  private readonly told = el('span', { class: 'clip-told', role: 'status' });
  readonly root = el('div', { class: 'clip-bar' }, this.told, this.whole, this.share, this.save);
  private clip: Clip | null = null;

  constructor(private readonly i18n: I18n) {
    show(this.root, false);
    this.share.addEventListener('click', () => void this.pass());
  }

  show(clip: Clip): void {
    this.clip = clip;
    setAttr(this.whole, 'href', `/r/${encodeURIComponent(clip.roomId)}`);
    show(this.whole, clip.roomId !== '');
    if (clip.mp4 !== null) setAttr(this.save, 'href', `${clip.mp4.url}?download`);
    show(this.save, clip.mp4 !== null);
    this.translate();
    show(this.root, true);
  }

  translate(): void {
    setText(this.whole, this.i18n.t('clip.whole'));
    for (const [node, key] of [[this.share, 'clip.share'], [this.save, 'clip.save']] as const) {
      setAttr(node, 'aria-label', this.i18n.t(key));
      setAttr(node, 'title', this.i18n.t(key));
    }
  }

  /** By the phone's own sheet where there is one, else by the clipboard. */
  private async pass(): Promise<void> {
    const what = { title: this.clip?.title ?? '', url: location.href };
    try {
      if (typeof navigator.share === 'function') {
        await navigator.share(what);
        return;
      }
      await navigator.clipboard.writeText(what.url);
      this.tell(this.i18n.t('clip.copied'));
    } catch (why) {
      if (why instanceof DOMException && why.name === 'AbortError') return; // thought better of it
      this.tell(what.url);
    }
  }

  private tell(words: string): void {
    setText(this.told, words);
    setTimeout(() => setText(this.told, ''), saidForMs);
  }
}
