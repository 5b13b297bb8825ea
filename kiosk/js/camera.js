// The camera: frames to the worker, readings back, the torch where there is one.
// state: "off", "starting", "on", "denied", "missing", "failed"
import { signal } from "/vendor/signals.mjs";

// Ten pictures a second find a code as fast as a hand can hold it, and spare the battery.
const FRAME_MS = 100;

export class Camera {
  constructor(read) {
    this.read = read;
    this.state = signal("off");
    this.torch = signal(null);
    this.busy = false;
    this.lastMs = 0;
  }

  async start(video) {
    if (this.state.value === "starting" || this.state.value === "on") return;
    this.video = video;
    if (!navigator.mediaDevices?.getUserMedia) {
      this.state.value = "missing";
      return;
    }
    this.state.value = "starting";
    this.worker ??= this.makeWorker();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      video.srcObject = this.stream;
      await video.play();
    } catch (error) {
      this.stop();
      this.state.value = { NotAllowedError: "denied", NotFoundError: "missing" }[error.name] ?? "failed";
      return;
    }
    const [track] = this.stream.getVideoTracks();
    // Another app took the camera, or the phone slept: start again when looked at.
    track.onended = () => this.stop();
    this.torch.value = track.getCapabilities?.().torch ? false : null;
    this.state.value = "on";
    this.next();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.torch.value = null;
    this.state.value = "off";
  }

  async switchTorch() {
    const [track] = this.stream?.getVideoTracks() ?? [];
    if (!track || this.torch.value === null) return;
    const on = !this.torch.value;
    await track.applyConstraints({ advanced: [{ torch: on }] });
    this.torch.value = on;
  }

  makeWorker() {
    const worker = new Worker("/scan/js/scan-worker.js", { type: "module" });
    worker.onmessage = ({ data }) => {
      if (data.ready) return;
      this.busy = false;
      if (data.code) this.read(data.code);
    };
    worker.onerror = () => {
      this.state.value = "failed";
    };
    return worker;
  }

  next() {
    if (this.state.value !== "on") return;
    const again = () => this.look();
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(again);
    else requestAnimationFrame(again);
  }

  async look() {
    const now = performance.now();
    if (!this.busy && now - this.lastMs >= FRAME_MS && this.video.videoWidth > 0) {
      this.busy = true;
      this.lastMs = now;
      try {
        const picture = await createImageBitmap(this.video);
        this.worker.postMessage(picture, [picture]);
      } catch {
        // The video stopped between the question and the picture.
        this.busy = false;
      }
    }
    this.next();
  }
}
