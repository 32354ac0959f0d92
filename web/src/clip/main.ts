import '../viewer/styles/viewer.css';
import './clip.css';
import { pageLanguage } from '../viewer/i18n';
import { ClipViewer } from './clip-viewer';

/** The clip's id is the last part of the page's path: /c/{clip}. */
const clip = decodeURIComponent(location.pathname.replace(/\/+$/, '').split('/').pop() ?? '');

new ClipViewer(clip, pageLanguage()).start();
