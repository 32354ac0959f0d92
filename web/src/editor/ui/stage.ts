import { priceTag, productImage, titleText } from '../../product/view';
import { el, setAttr, setText, show } from '../../ui/dom';
import { timecode } from '../model/timecode';
import { chosen } from '../model/selection';
import type { I18n } from '../i18n';
import type { Actions, View } from './context';
import { Button, icon } from './icons';

const mostCards = 3;

/** The picture with the products that are on it, and what moves the playhead. */
export class Stage {
  readonly video = el('video', { class: 'video', playsinline: true, preload: 'auto', 'data-testid': 'video' });
  private readonly cards = el('ul', { class: 'cards' });
  private readonly wait = el('span', { class: 'spinner', hidden: true });
  private readonly trouble = el('p', { class: 'stage-trouble', role: 'status', hidden: true });
  private readonly clock = el('output', { class: 'clock', 'data-testid': 'clock' });
  private readonly back: Button;
  private readonly play: Button;
  private readonly on: Button;
  private readonly stretch: Button;
  private readonly sound: Button;
  private readonly skip = el('input', { type: 'checkbox', class: 'check', id: 'skip-cuts' });
  private readonly skipLabel = el('label', { for: 'skip-cuts' });
  private readonly picture: HTMLElement;
  readonly root: HTMLElement;
  private carded = '';

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
    step: (frames: number) => void,
  ) {
    this.back = new Button('frameBack', () => step(-1));
    this.play = new Button('play', () => actions.toggle(), 'tool play', 'play');
    this.on = new Button('frameOn', () => step(1));
    this.stretch = new Button('select', () => this.selected && actions.playStretch(this.selected));
    this.sound = new Button('sound', () => actions.toggleMute());
    this.skip.addEventListener('change', () => actions.toggleSkip());
    this.picture = el('div', { class: 'picture' }, this.video, this.cards, this.wait, this.trouble);
    this.picture.addEventListener('click', (e) => e.target === this.video && actions.toggle());
    this.play.root.firstElementChild?.after(icon('pause'));
    this.root = el('section', { class: 'stage' }, this.picture, el('div', { class: 'transport' }, this.back.root, this.play.root, this.on.root, this.clock, el('span', { class: 'spring' }), this.stretch.root, el('span', { class: 'skip' }, this.skip, this.skipLabel), this.sound.root));
  }

  private selected: ReturnType<typeof chosen> = null;

  render(view: View, waits: boolean, trouble: string): void {
    const { i18n } = this;
    this.selected = chosen(view.selection);
    setAttr(this.root, 'aria-label', i18n.t('stage.label'));
    setText(this.clock, timecode(view.atMs));
    setAttr(this.clock, 'aria-label', i18n.t('axis.playhead'));
    this.play.label(i18n.t(view.paused ? 'play' : 'pause'));
    setAttr(this.play.root, 'data-face', view.paused ? 'first' : 'second');
    this.back.label(i18n.t('frame.back'));
    this.on.label(i18n.t('frame.on'));
    this.stretch.label(i18n.t('play.selection'), this.selected ? null : '');
    this.sound.label(i18n.t(view.muted ? 'unmute' : 'mute'));
    setAttr(this.sound.root, 'data-off', view.muted);
    this.skip.checked = view.skipsCuts;
    setText(this.skipLabel, i18n.t('skip'));
    show(this.wait, waits && trouble === '');
    show(this.trouble, trouble !== '');
    setText(this.trouble, trouble);
    this.renderCards(view);
  }

  /** Only the clock, many times a second. */
  tick(view: View): void {
    setText(this.clock, timecode(view.atMs));
    this.renderCards(view);
  }

  private renderCards(view: View): void {
    const pins = view.pins.filter((p) => p.product !== null).slice(0, mostCards);
    const key = `${this.i18n.lang} ${pins.map((p) => p.id).join(' ')}`;
    if (key === this.carded) return;
    this.carded = key;
    this.cards.replaceChildren(...pins.flatMap((p) => (p.product ? [el('li', { class: 'card', 'data-pin': p.id }, productImage(p.product), el('span', { class: 'card-words' }, el('strong', {}, titleText(p.product, this.i18n)), priceTag(p.product, this.i18n)))] : [])));
  }
}
