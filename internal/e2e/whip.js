// Publishes the camera and microphone by WHIP. It keeps the hash of every H264 slice that the encoder made, before it is
// sent, and functions that tell when each flash and beep was captured, in ms by the page's clock.
(() => {
  const state = { slices: [], flashes: [], beeps: [], clocks: [], answers: [] };

  // Runs beside the page: sees each coded picture (Annex B) on its way to the network.
  const transform = () => {
    const hash = (b) => {
      let h = 0x811c9dc5;
      for (let i = 0; i < b.length; i++) h = Math.imul(h ^ b[i], 0x01000193) >>> 0;
      return h;
    };
    const slices = (b) => {
      const out = [];
      const starts = [];
      for (let i = 0; i + 3 < b.length; i++) if (!b[i] && !b[i + 1] && b[i + 2] === 1) starts.push(i + 3);
      starts.forEach((s, i) => {
        let e = i + 1 < starts.length ? starts[i + 1] - 3 : b.length;
        while (e > s && !b[e - 1]) e--; // the zeros before a start code are no part of the unit
        const kind = b[s] & 31;
        if (kind === 1 || kind === 5) out.push(hash(b.subarray(s, e)));
      });
      return out;
    };
    self.onrtctransform = ({ transformer: { readable, writable } }) => {
      readable.pipeThrough(new TransformStream({
        transform(frame, c) {
          self.postMessage(slices(new Uint8Array(frame.data)));
          c.enqueue(frame);
        },
      })).pipeTo(writable);
    };
  };

  // Hands each piece of a track to each, with when it was captured: by its own timestamp and the quickest delivery of all,
  // so that a busy page delays nothing but the answer.
  const listen = async (track, each) => {
    const since = { delay: Infinity };
    const reader = new MediaStreamTrackProcessor({ track: track.clone() }).readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const at = value.timestamp / 1000;
      since.delay = Math.min(since.delay, performance.timeOrigin + performance.now() - at);
      each(value, (later) => at + later + since.delay);
      value.close();
    }
  };

  // A flash is a white band at the top; only its beginning is kept.
  const watchFlashes = (track) => {
    const canvas = new OffscreenCanvas(4, 4);
    const cx = canvas.getContext('2d', { willReadFrequently: true });
    let lit = true;
    listen(track, (frame, captured) => {
      cx.drawImage(frame, 0, 0, frame.displayWidth, frame.displayHeight / 10, 0, 0, 4, 4);
      const bright = cx.getImageData(1, 1, 1, 1).data[0] > 180;
      if (bright && !lit) state.flashes.push(captured.bind(null, 0));
      lit = bright;
    });
  };

  const watchBeeps = (track) => {
    let quiet = 0;
    listen(track, (data, captured) => {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      samples.forEach((v, i) => {
        if (Math.abs(v) < 0.1) return void quiet++;
        const later = ((i - samples.length) * 1000) / data.sampleRate; // a piece is delivered when it is full
        if (quiet > data.sampleRate / 2) state.beeps.push(captured.bind(null, later));
        quiet = 0;
      });
    });
  };

  const talk = (dc) => {
    dc.onmessage = ({ data }) => {
      const m = JSON.parse(data);
      if (m.type === 'ping') dc.send(JSON.stringify({ type: 'pong', id: m.id, now: performance.timeOrigin + performance.now() }));
      else if (m.type === 'clock') state.clocks.push(m);
      else state.answers.push(m);
    };
    state.say = (m) => dc.send(JSON.stringify(m));
  };

  state.publish = async ({ whip, key, width, height, hide }) => {
    const constraints = { video: { width, height, frameRate: 30 }, audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } };
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    const pc = new RTCPeerConnection();
    const [video] = stream.getVideoTracks();
    const [audio] = stream.getAudioTracks();
    video.contentHint = 'detail';
    const sender = pc.addTransceiver(video, { direction: 'sendonly', streams: [stream] }).sender;
    pc.addTransceiver(audio, { direction: 'sendonly', streams: [stream] });
    const worker = new Worker(URL.createObjectURL(new Blob([`(${transform})()`], { type: 'text/javascript' })));
    worker.onmessage = ({ data }) => state.slices.push(...data);
    sender.transform = new RTCRtpScriptTransform(worker);
    talk(pc.createDataChannel('vitrine'));
    watchFlashes(video);
    watchBeeps(audio);
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete') await new Promise((r) => pc.addEventListener('icegatheringstatechange', r, { once: true }));
    let sdp = pc.localDescription.sdp;
    if (hide) sdp = sdp.split('\r\n').filter((l) => !l.startsWith('a=candidate')).join('\r\n'); // only the network under test leads back
    const res = await fetch(whip, { method: 'POST', body: sdp, headers: { 'Content-Type': 'application/sdp', Authorization: 'Bearer ' + key } });
    if (res.status !== 201) throw new Error(`${res.status}: ${await res.text()}`);
    const location = new URL(res.headers.get('Location'), whip);
    await pc.setRemoteDescription({ type: 'answer', sdp: await res.text() });
    while (pc.connectionState !== 'connected') await new Promise((r) => pc.addEventListener('connectionstatechange', r, { once: true }));
    state.stop = async () => {
      const res = await fetch(location, { method: 'DELETE', headers: { Authorization: 'Bearer ' + key } });
      pc.close();
      stream.getTracks().forEach((t) => t.stop());
      return res.status;
    };
    const { codecs } = sender.getParameters();
    return { codec: codecs[0].mimeType, connected: pc.connectionState };
  };
  window.__whip = state;
})();
