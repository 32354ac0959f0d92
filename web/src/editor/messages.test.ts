import { sameMessages } from '../i18n/same-messages';
import { catalogues } from './messages';

sameMessages(catalogues);
