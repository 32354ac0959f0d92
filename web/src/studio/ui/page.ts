import { el, need, setAttr } from '../../ui/dom';
import type { I18n } from '../i18n';
import { Controls } from './controls';
import { Farewell } from './farewell';
import { Health } from './health';
import { Notices } from './notices';
import { Panel } from './panel';
import { Preview } from './preview';
import { Settings } from './settings';
import { TopBar } from './topbar';
import { Tray } from './tray';
import type { Actions, View } from './view';

/** The page put together: the picture, what stands on it, the products and the controls, and the sheets over all. */
export class Page {
  readonly preview: Preview;
  readonly controls: Controls;
  private readonly root = need('#studio');
  private readonly parts: readonly { render(view: View): void }[];

  constructor(
    private readonly i18n: I18n,
    actions: Actions,
    onPictureSize: () => void,
  ) {
    const stage = el('main', { class: 'stage' });
    const tray = new Tray(i18n, actions, [stage]);
    const rest = [stage, tray.root];
    const health = new Health(i18n, rest);
    const settings = new Settings(i18n, actions, rest);
    const farewell = new Farewell(i18n, actions, rest);
    const openHealth = (): void => {
      health.sheet.open();
      this.render(this.view);
    };
    this.preview = new Preview(onPictureSize);
    const topbar = new TopBar(i18n, openHealth);
    const notices = new Notices(i18n, openHealth);
    const panel = new Panel(i18n, actions);
    this.controls = new Controls(i18n, actions, {
      settings: () => {
        settings.sheet.open();
        this.render(this.view);
      },
      products: () => tray.unfold(),
      end: () => farewell.sheet.open(),
    });
    stage.append(this.preview.root, panel.root, topbar.root, notices.root, this.controls.root);
    this.root.replaceChildren(stage, tray.scrim, tray.root, health.sheet.root, settings.sheet.root, farewell.sheet.root);
    this.parts = [this.preview, topbar, notices, panel, this.controls, tray, health, settings, farewell];
  }

  private view: View | null = null;

  render(view: View | null): void {
    if (!view) return;
    this.view = view;
    setAttr(this.root, 'data-phase', view.phase);
    setAttr(this.root, 'data-camera', view.camera);
    const title = view.title === '' ? this.i18n.t('page.titleDefault') : this.i18n.t('page.title', { title: view.title });
    if (document.title !== title) document.title = title;
    for (const part of this.parts) part.render(view);
  }
}
