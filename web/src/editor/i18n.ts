import { pageLanguage as ofPage, type I18n as Texts } from '../i18n/i18n';
import { catalogues, type MessageKey } from './messages';

/** The texts of the editor. */
export type I18n = Texts<MessageKey>;

export function pageLanguage(): I18n {
  return ofPage(catalogues);
}
