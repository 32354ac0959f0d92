import './styles/editor.css';
import { pageLanguage } from './i18n';
import { Editor } from './editor';

/** The show's id is the last part of the page's path: /edit/{show}. */
const show = decodeURIComponent(location.pathname.replace(/\/+$/, '').split('/').pop() ?? '');

void new Editor(show, pageLanguage()).start();
