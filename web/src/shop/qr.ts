import qrcode from 'qrcode-generator';

const quiet = 4; // modules around the code (ISO/IEC 18004, 6.3.8)

/** Draws a QR code: black on white, whatever the page looks like. */
export function drawCode(content: string): SVGSVGElement {
  const code = qrcode(0, 'M');
  code.addData(content);
  code.make();
  const n = code.getModuleCount();
  let path = '';
  for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) if (code.isDark(y, x)) path += `M${x + quiet} ${y + quiet}h1v1h-1z`;
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('viewBox', `0 0 ${n + 2 * quiet} ${n + 2 * quiet}`);
  svg.setAttribute('class', 'qr');
  svg.setAttribute('role', 'img');
  const dots = document.createElementNS(ns, 'path');
  dots.setAttribute('d', path);
  svg.append(dots);
  return svg;
}
