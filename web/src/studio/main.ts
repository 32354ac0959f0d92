import './styles/studio.css';
import { pageLanguage } from './i18n';
import { Studio } from './studio';

/** The room's id is the last part of the page's path: /studio/{room}. */
const room = decodeURIComponent(location.pathname.replace(/\/+$/, '').split('/').pop() ?? '');

void new Studio(room, pageLanguage()).start();
