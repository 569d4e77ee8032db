// A page without any library: RTCPeerConnection and fetch, as docs/whip.md shows them.

/** What runs in the page. */
function script() {
  const sdp = 'application/sdp';
  const fragment = 'application/trickle-ice-sdpfrag';
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  const session = { answer: '', tag: '', url: '', headers: {} };

  const line = (text, name) => new RegExp(`a=${name}:(.*)\r\n`).exec(text)?.[1];
  const credentials = (text) => ['ice-ufrag', 'ice-pwd'].map((name) => `a=${name}:${line(text, name)}\r\n`).join('');

  function patch(body, tag) {
    const headers = { ...session.headers, 'Content-Type': fragment, 'If-Match': tag };
    return fetch(session.url, { method: 'PATCH', headers, body });
  }

  // Candidates that are found before there is a session are in its offer or told with the first that comes later.
  const early = [];
  pc.onicecandidate = ({ candidate }) => {
    early.push(candidate ? `a=${candidate.candidate}\r\n` : 'a=end-of-candidates\r\n');
    void trickle();
  };
  async function trickle() {
    if (!session.url || early.length === 0) return;
    const head = `${credentials(pc.localDescription.sdp)}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n`;
    const told = await patch(head + early.splice(0).join(''), session.tag);
    if (told.status !== 204) console.error(`candidates: ${told.status} ${await told.text()}`);
  }

  /** Asks again while what is to be watched isn't there yet. */
  async function begin(url, token) {
    session.headers = token ? { Authorization: `Bearer ${token}` } : {};
    await pc.setLocalDescription();
    const headers = { ...session.headers, 'Content-Type': sdp };
    for (;;) {
      const response = await fetch(url, { method: 'POST', headers, body: pc.localDescription.sdp });
      const text = await response.text();
      if (response.status === 409) {
        await new Promise((resolve) => setTimeout(resolve, 1_000 * Number(response.headers.get('Retry-After'))));
        continue;
      }
      if (!response.ok) throw new Error(`${response.status} ${text}`);
      session.answer = text;
      session.tag = response.headers.get('ETag');
      session.url = new URL(response.headers.get('Location'), response.url).href;
      await pc.setRemoteDescription({ type: 'answer', sdp: text });
      await trickle();
      return { status: response.status, sdp: text };
    }
  }

  window.bare = {
    async publish(url, { token, codec, simulcast } = {}) {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
      const sendEncodings = simulcast ? [{ rid: 'low', scaleResolutionDownBy: 2 }, { rid: 'high' }] : undefined;
      for (const track of stream.getTracks()) {
        const video = track.kind === 'video';
        const transceiver = pc.addTransceiver(track, {
          direction: 'sendonly',
          streams: [stream],
          ...(video && sendEncodings ? { sendEncodings } : {}),
        });
        if (video && codec) {
          const { codecs } = RTCRtpSender.getCapabilities('video');
          transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => [codec, 'video/rtx'].includes(mimeType)));
        }
      }
      return begin(url, token);
    },

    watch(url, { token } = {}) {
      const stream = new MediaStream();
      pc.ontrack = ({ track }) => stream.addTrack(track);
      for (const kind of ['audio', 'video']) pc.addTransceiver(kind, { direction: 'recvonly' });
      const video = Object.assign(document.createElement('video'), { autoplay: true, srcObject: stream });
      document.body.append(video);
      return begin(url, token);
    },

    async end() {
      const { status } = await fetch(session.url, { method: 'DELETE', headers: session.headers });
      pc.close();
      return status;
    },

    async restartIce() {
      const tag = { before: session.tag };
      await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
      const response = await patch(`${credentials(pc.localDescription.sdp)}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n`, '*');
      const text = await response.text();
      session.tag = tag.after = response.headers.get('ETag');
      const renewed = ['ice-ufrag', 'ice-pwd'].reduce(
        (answer, name) => answer.replaceAll(new RegExp(`a=${name}:.*\r\n`, 'g'), `a=${name}:${line(text, name)}\r\n`),
        session.answer,
      );
      await pc.setRemoteDescription({ type: 'answer', sdp: renewed });
      return { status: response.status, tag, before: line(session.answer, 'ice-ufrag'), after: line(text, 'ice-ufrag') };
    },

    async inbound() {
      const all = [...(await pc.getStats()).values()];
      const of = (kind) => all.find((report) => report.type === 'inbound-rtp' && report.kind === kind);
      const codec = all.find(({ id }) => id === of('video')?.codecId);
      return {
        frames: of('video')?.framesDecoded ?? 0,
        energy: of('audio')?.totalAudioEnergy ?? 0,
        codec: codec?.mimeType,
      };
    },

    state: () => pc.connectionState,
  };
}

export class Bare {
  /** A tab at an address that has nothing of the conference page: one of the server's own, or of another one. */
  static async open(browser, url) {
    const bare = new Bare();
    bare.context = await browser.newContext({ permissions: ['camera', 'microphone'], ignoreHTTPSErrors: true });
    bare.page = await bare.context.newPage();
    await bare.page.goto(url);
    await bare.page.evaluate(script);
    return bare;
  }

  #ask(method, ...given) {
    return this.page.evaluate(([method, given]) => window.bare[method](...given), [method, given]);
  }

  publish(url, options) {
    return this.#ask('publish', url, options);
  }

  watch(url, options) {
    return this.#ask('watch', url, options);
  }

  restartIce() {
    return this.#ask('restartIce');
  }

  inbound() {
    return this.#ask('inbound');
  }

  state() {
    return this.#ask('state');
  }

  /** Ends the session at the server too; the status of that. */
  end() {
    return this.#ask('end');
  }

  close() {
    return this.context.close();
  }
}
