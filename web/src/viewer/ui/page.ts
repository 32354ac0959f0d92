import type { I18n } from '../i18n';
import type { MessageKey } from '../messages';
import type { Product } from '../../product/product';
import { Bag } from './bag';
import { Cards } from './cards';
import { Controls } from './controls';
import { el, need, setAttr } from '../../ui/dom';
import { Notices, Panel, type PanelWords } from './panel';
import { Stage } from './stage';
import { TalkView } from './talk';
import { TopBar } from './topbar';
import type { Actions, View } from './view';

const idleMs = 3_000;

/** Where the page is another one than a room's. */
export interface Kind {
  readonly extra?: HTMLElement; // stands on the stage
  readonly badge?: MessageKey; // instead of the phase
  readonly panels?: PanelWords; // instead of the usual ones
}

/** The page put together: the stage with what stands on it, and the bag beside or over it. */
export class Page {
  readonly video: HTMLVideoElement;
  readonly stage: Stage;
  readonly cards: Cards;
  private readonly root = need('#viewer');
  private readonly topbar: TopBar;
  private readonly controls: Controls;
  private readonly panel: Panel;
  private readonly notices: Notices;
  private readonly talk: TalkView;
  readonly bag: Bag;
  private view: View | null = null;
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly i18n: I18n,
    private readonly actions: Actions,
    bagProduct: (id: string) => Product | null,
    private readonly offers: HTMLElement,
    kind: Kind = {},
  ) {
    const stageRoot = need('#stage');
    this.video = makeVideo();
    this.stage = new Stage(stageRoot, this.video, () => this.view && this.render(this.view));
    this.topbar = new TopBar(i18n, kind.badge);
    this.cards = new Cards(i18n, bagProduct, actions);
    this.controls = new Controls(i18n, actions, this.fullscreen());
    this.panel = new Panel(i18n, actions, kind.panels);
    this.notices = new Notices(i18n, actions);
    this.talk = new TalkView(i18n, { say: (t) => actions.say(t), like: () => actions.like(), productTitle: (id) => bagProduct(id)?.title ?? '' });
    const dock = el('div', { class: 'dock' }, this.talk.feed, this.cards.root, this.talk.row, this.controls.root);
    stageRoot.replaceChildren(this.stage.ambience, this.stage.picture, this.notices.middle, this.panel.root, this.topbar.root, this.offers, this.notices.root, dock, ...(kind.extra ? [kind.extra] : []), this.cards.announcer);
    this.bag = new Bag(need('#bag'), stageRoot, i18n, actions);
    this.watchPointer(stageRoot);
    document.addEventListener('keydown', (e) => this.onKey(e));
  }

  render(view: View): void {
    this.view = view;
    setAttr(this.root, 'data-phase', view.phase);
    setAttr(this.root, 'data-paused', view.paused);
    setAttr(this.root, 'data-buffering', view.buffering);
    const title = view.title === '' ? this.i18n.t('page.titleDefault') : this.i18n.t('page.title', { title: view.title });
    if (document.title !== title) document.title = title;
    this.talk.render(view.said, view.likes, view.talking);
    for (const part of [this.topbar, this.controls, this.panel, this.notices, this.bag]) part.render(view);
  }

  openBag(): void {
    this.bag.open(this.controls.bag);
  }

  private fullscreen(): ConstructorParameters<typeof Controls>[2] {
    const { stage } = this;
    return {
      get possible() {
        return stage.canFullscreen;
      },
      get active() {
        return stage.isFullscreen;
      },
      toggle: () => stage.toggleFullscreen(),
    };
  }

  /** The first tap turns the sound on; a click with a mouse pauses. The controls of a desk hide while nothing moves. */
  private watchPointer(root: HTMLElement): void {
    this.stage.picture.addEventListener('click', (e) => {
      if (!this.view || !watchable(this.view)) return;
      if (this.view.muted && !this.view.paused) this.actions.toggleSound();
      else if (this.view.paused || (e).pointerType === 'mouse') this.actions.toggle();
    });
    const wake = (): void => {
      setAttr(this.root, 'data-idle', false);
      clearTimeout(this.idle);
      this.idle = setTimeout(() => setAttr(this.root, 'data-idle', true), idleMs);
    };
    for (const type of ['pointermove', 'pointerdown', 'focusin'] as const) root.addEventListener(type, wake);
    document.addEventListener('keydown', wake);
    wake();
  }

  private onKey(e: KeyboardEvent): void {
    if (e.defaultPrevented || e.altKey || e.ctrlKey || e.metaKey || this.bag.isOpen) return;
    const at = e.target instanceof Element ? e.target : null;
    if (at?.closest('button, a, input')) return;
    const view = this.view;
    if (!view || !watchable(view)) return;
    const act: Record<string, () => void> = {
      ' ': () => this.actions.toggle(),
      k: () => this.actions.toggle(),
      m: () => this.actions.toggleSound(),
      f: () => this.stage.toggleFullscreen(),
    };
    if (view.phase === 'live' && view.canGoBack) act.ArrowLeft = () => this.actions.back();
    if (view.phase === 'replay' || view.phase === 'shift') {
      act.ArrowLeft = () => this.actions.seek(Math.max(0, view.positionMs - 5_000));
      act.ArrowRight = () => this.actions.seek(Math.min(view.durationMs, view.positionMs + 5_000));
    }
    const found = act[e.key];
    if (!found) return;
    e.preventDefault();
    found();
  }
}

function watchable(view: View): boolean {
  return view.phase === 'live' || view.phase === 'replay' || view.phase === 'shift';
}

function makeVideo(): HTMLVideoElement {
  const video = el('video', { class: 'video', playsinline: true, 'webkit-playsinline': true, 'x5-video-player-type': 'h5-page', preload: 'auto', 'data-testid': 'video', tabindex: '-1' });
  video.muted = true; // sound without a tap is refused by every browser; the tap is asked for
  video.disableRemotePlayback = true;
  return video;
}
