// The sound of one call by WebRTC: hums one pitch, measures the loudest one that comes.

const FFT = 16384;

/** One peer connection. */
export class Sound {
  constructor(pitch) {
    this.context = new AudioContext({ sampleRate: 48000 });
    this.connection = new RTCPeerConnection();
    const out = this.context.createMediaStreamDestination();
    const hum = new OscillatorNode(this.context, { frequency: pitch });
    hum.connect(new GainNode(this.context, { gain: 0.25 })).connect(out);
    hum.start();
    this.connection.addTrack(out.stream.getAudioTracks()[0], out.stream);
    this.analyser = new AnalyserNode(this.context, { fftSize: FFT, smoothingTimeConstant: 0 });
    this.connection.ontrack = ({ track }) => {
      const stream = new MediaStream([track]);
      document.getElementById("speaker").srcObject = stream; // without it nothing is decoded
      this.context.createMediaStreamSource(stream).connect(this.analyser);
    };
  }

  get transceiver() {
    return this.connection.getTransceivers()[0];
  }

  /** Only this codec, and digits, are offered or taken. */
  prefer(codec) {
    const kept = [`audio/${codec}`, "audio/telephone-event"];
    const { codecs } = RTCRtpReceiver.getCapabilities("audio");
    this.transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => kept.includes(mimeType)));
  }

  async offer() {
    await this.context.resume();
    await this.connection.setLocalDescription();
    return this.gathered();
  }

  async answer(offer, codec) {
    await this.context.resume();
    await this.connection.setRemoteDescription({ type: "offer", sdp: offer });
    if (codec) this.prefer(codec);
    await this.connection.setLocalDescription();
    return this.gathered();
  }

  async accept(answer) {
    await this.connection.setRemoteDescription({ type: "answer", sdp: answer });
  }

  async gathered() {
    while (this.connection.iceGatheringState !== "complete") {
      await new Promise((done) => {
        this.connection.addEventListener("icegatheringstatechange", done, { once: true });
      });
    }
    return this.connection.localDescription.sdp;
  }

  /** Send digits as RFC 4733 has them; done when the last one was sent. */
  async press(digits) {
    const { dtmf } = this.transceiver.sender;
    if (!dtmf.canInsertDTMF) throw new Error("the far end takes no telephone-events");
    await new Promise((done) => {
      dtmf.ontonechange = ({ tone }) => tone === "" && done();
      dtmf.insertDTMF(digits, 120, 80);
    });
  }

  /** What is heard now, and how it comes. */
  async heard() {
    const levels = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(levels);
    const best = levels.indexOf(Math.max(...levels));
    const stats = [...(await this.connection.getStats()).values()];
    const of = (type) => stats.find((each) => each.type === type) ?? {};
    const [transport, inbound] = [of("transport"), of("inbound-rtp")];
    return {
      hz: (best * this.context.sampleRate) / FFT,
      db: Math.max(levels[best], -200), // silence is -Infinity, which JSON does not know
      state: this.connection.connectionState,
      codec: stats.find((each) => each.id === inbound.codecId)?.mimeType ?? "",
      packets: inbound.packetsReceived ?? 0,
      lost: inbound.packetsLost ?? 0,
      dtls: transport.dtlsState ?? "",
      version: transport.tlsVersion ?? "",
      cipher: transport.srtpCipher ?? "",
      has_reports: of("remote-inbound-rtp").roundTripTime !== undefined,
    };
  }

  async close() {
    this.connection.close();
    await this.context.close();
  }
}
