// Stands in for the phone's camera and microphone: a picture with its number burned in, and a tone. It keeps when each
// picture was drawn, by the page's clock, and leaves the browser's own addresses out of what it offers, so that only the
// network under test leads to the server.
(({ x, y, cell, width, height }) => {
  const state = (window.__camera = { drawn: [] });
  const ones = (v) => v.toString(2).replace(/0/g, '').length;

  const camera = () => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const cx = canvas.getContext('2d', { alpha: false });
    let n = 0;
    const draw = () => {
      const v = n & 0xfff;
      const code = (v << 4) | ((ones(v) + 1) & 0xf);
      cx.fillStyle = '#606060';
      cx.fillRect(0, 0, width, height);
      cx.fillStyle = '#c8c8c8';
      cx.fillRect((n * 6) % (width - 24), height / 8, 24, height / 16);
      for (let i = 0; i < 16; i++) {
        cx.fillStyle = (code >> (15 - i)) & 1 ? '#fff' : '#000';
        cx.fillRect(x + (i % 4) * cell, y + Math.floor(i / 4) * cell, cell, cell);
      }
      state.drawn.push(performance.timeOrigin + performance.now());
      n++;
    };
    draw();
    setInterval(draw, 1000 / 30);
    return canvas.captureStream(30).getVideoTracks();
  };

  const microphone = () => {
    const context = new AudioContext();
    const tone = new OscillatorNode(context, { frequency: 440 });
    const out = context.createMediaStreamDestination();
    tone.connect(new GainNode(context, { gain: 0.2 })).connect(out);
    tone.start();
    return out.stream.getAudioTracks();
  };

  navigator.mediaDevices.getUserMedia = async () => new MediaStream([...camera(), ...microphone()]);

  const send = window.fetch;
  window.fetch = (url, init) => {
    const ice = init?.headers?.['Content-Type'];
    if (ice !== 'application/sdp' && ice !== 'application/trickle-ice-sdpfrag') return send(url, init);
    const body = init.body.split('\r\n').filter((line) => !line.startsWith('a=candidate')).join('\r\n');
    return send(url, { ...init, body });
  };
})
