import './styles/viewer.css';
import { pageLanguage } from './i18n';
import { Viewer } from './viewer';

/** The room's id is the last part of the page's path: /r/{room}. */
const room = decodeURIComponent(location.pathname.replace(/\/+$/, '').split('/').pop() ?? '');

new Viewer(room, pageLanguage()).start();
