import { el, need, setAttr, setText, show } from '../../ui/dom';
import type { I18n } from '../i18n';
import type { Actions, View } from './context';
import { Axis } from './axis';
import { ChaptersPanel } from './chapters-panel';
import { ClipsPanel } from './clips-panel';
import { Dialog } from './dialog';
import { ExportDialog } from './export-dialog';
import { Header } from './header';
import { Help } from './help';
import { HighlightsPanel } from './highlights-panel';
import { ReplayPanel } from './replay-panel';
import { SelectionBar } from './selection-bar';
import { SignIn } from './sign-in';
import { Stage } from './stage';
import { Tabs } from './tabs';
import { Toasts } from './toasts';

/** How the player stands, for the picture. */
export interface Playing {
  readonly waits: boolean;
  readonly trouble: string;
}

/** Everything of the page that is seen. It keeps no state but which tab and dialog are open. */
export class Page {
  readonly root = need('#editor');
  readonly stage: Stage;
  readonly axis: Axis;
  readonly toasts: Toasts;
  readonly tabs: Tabs;
  readonly export: ExportDialog;
  readonly help: Help;
  readonly signIn: SignIn;
  readonly again: Dialog;
  private readonly header: Header;
  private readonly bar: SelectionBar;
  private readonly chapters: ChaptersPanel;
  private readonly highlights: HighlightsPanel;
  private readonly clips: ClipsPanel;
  private readonly replay: ReplayPanel;
  private readonly off = el('p', { class: 'off-banner', role: 'status', 'data-testid': 'off' });
  private readonly desk: HTMLElement;
  private readonly alone: HTMLElement; // what stands there instead of the desk
  private readonly title = el('h1', { class: 'panel-title' });
  private readonly text = el('p', { class: 'panel-text' });
  private readonly retry = el('button', { class: 'primary', type: 'button', 'data-testid': 'retry' });
  private readonly trouble = el('section', { class: 'trouble', role: 'status' }, this.title, this.text, this.retry);
  private view: View | null = null;
  private counts: View | null = null;

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
    step: (frames: number) => void,
  ) {
    const rest = (): HTMLElement[] => [this.header.root, this.desk];
    this.header = new Header(i18n, actions, () => this.help.dialog.open());
    this.stage = new Stage(i18n, actions, step);
    this.axis = new Axis(i18n, actions);
    this.bar = new SelectionBar(i18n, actions);
    this.chapters = new ChaptersPanel(i18n, actions);
    this.highlights = new HighlightsPanel(i18n, actions);
    this.clips = new ClipsPanel(i18n, actions);
    this.replay = new ReplayPanel(i18n, actions);
    this.tabs = new Tabs([
      { name: 'chapters', panel: this.chapters.root, label: () => i18n.t('tab.chapters'), count: () => this.counts?.chapters.length ?? null },
      { name: 'highlights', panel: this.highlights.root, label: () => i18n.t('tab.highlights'), count: () => this.counts?.highlights?.filter((h) => h.state !== 'dismissed').length ?? null },
      { name: 'clips', panel: this.clips.root, label: () => i18n.t('tab.clips'), count: () => this.counts?.clips?.length ?? null },
      { name: 'replay', panel: this.replay.root, label: () => i18n.t('tab.replay'), count: () => null },
    ]);
    this.toasts = new Toasts(() => i18n.t('close'));
    this.export = new ExportDialog(i18n, actions, rest);
    this.help = new Help(i18n, rest);
    this.signIn = new SignIn(i18n, actions);
    this.again = new Dialog('again', rest);
    this.again.onClose = () => actions.dropSignIn();
    this.desk = el('main', { class: 'desk' }, this.off, this.stage.root, this.tabs.root, el('div', { class: 'line' }, this.bar.root, this.axis.root));
    this.alone = el('main', { class: 'alone' });
    this.retry.addEventListener('click', () => actions.reload());
    this.root.replaceChildren(this.header.root, this.desk, this.alone, this.again.root, this.export.dialog.root, this.help.dialog.root, this.toasts.root);
  }

  render(view: View, playing: Playing): void {
    const before = this.view?.phase;
    this.view = this.counts = view;
    setAttr(this.root, 'data-phase', view.phase);
    document.title = view.show ? this.i18n.t('page.title', { title: view.show.title }) : this.i18n.t('page.name');
    this.header.render(view);
    const working = view.phase === 'ready' || view.phase === 'loading';
    show(this.desk, working);
    show(this.alone, !working);
    if (!working) this.renderAlone(view, before !== view.phase);
    else this.renderDesk(view, playing);
    this.help.render();
    this.export.render();
  }

  /** What moves with every frame of the picture. */
  tick(view: View): void {
    this.stage.tick(view);
    this.axis.render(view);
  }

  /** Asks who signed in before to do so again, over the page. */
  askAgain(): void {
    this.again.render(this.i18n.t('signIn.again'), this.i18n.t('close'));
    this.signIn.render(true);
    this.again.body.replaceChildren(this.signIn.root);
    this.again.open();
    this.signIn.focus();
  }

  private renderDesk(view: View, playing: Playing): void {
    show(this.off, view.off !== null && view.phase === 'ready');
    setText(this.off, view.off ?? '');
    this.stage.render(view, playing.waits, playing.trouble);
    this.axis.render(view);
    this.bar.render(view);
    this.chapters.render(view);
    this.highlights.render(view);
    this.clips.render(view);
    this.replay.render(view);
    this.tabs.render(this.i18n.t('side.label'));
  }

  private renderAlone(view: View, first: boolean): void {
    const { i18n } = this;
    if (view.phase === 'signin') {
      this.signIn.render(false);
      if (!first) return;
      this.alone.replaceChildren(this.signIn.root);
      this.signIn.focus();
      return;
    }
    if (view.phase !== 'unknown' && view.phase !== 'forbidden' && view.phase !== 'failed') return;
    if (first) this.alone.replaceChildren(this.trouble);
    setText(this.title, i18n.t(`${view.phase}.title`));
    setText(this.text, view.phase === 'failed' && view.detail !== '' ? view.detail : i18n.t(`${view.phase}.text`));
    setText(this.retry, i18n.t('again'));
  }
}
