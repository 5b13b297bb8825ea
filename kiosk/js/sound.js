// A sound and a vibration for each tone: the verdict must reach a steward who looks at
// the guest. Browsers allow sound only after a touch, so the first touch unlocks it.
import { signal } from "/vendor/signals.mjs";

// [frequency Hz, start s, length s, wave]
const SOUNDS = {
  go: [[880, 0, 0.09, "sine"], [1320, 0.09, 0.16, "sine"]],
  note: [[880, 0, 0.09, "sine"], [1320, 0.1, 0.09, "sine"], [1760, 0.2, 0.2, "sine"]],
  out: [[740, 0, 0.1, "triangle"], [494, 0.1, 0.16, "triangle"]],
  again: [[520, 0, 0.05, "sine"]],
  wait: [[466, 0, 0.16, "triangle"], [466, 0.24, 0.16, "triangle"]],
  stop: [[165, 0, 0.22, "sawtooth"], [131, 0.26, 0.36, "sawtooth"]],
};
const VIBRATIONS = {
  go: [60],
  note: [60, 60, 60, 60, 60],
  out: [35, 50, 35],
  again: [20],
  wait: [140, 80, 140],
  stop: [320, 90, 320],
};
const LOUDNESS = 0.5;

export const soundReady = signal(false);
let context = null;

export function unlockSound() {
  context ??= new AudioContext();
  context.resume().then(() => {
    soundReady.value = context.state === "running";
  });
}

// Browsers allow it only after a touch, too, and complain in their log before one.
export function vibrate(pattern) {
  if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(pattern);
}

export function signalTone(name) {
  vibrate(VIBRATIONS[name]);
  if (!context || context.state !== "running") return;
  for (const [pitch, start, length, wave] of SOUNDS[name]) {
    const at = context.currentTime + start;
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = wave;
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.008);
    gain.gain.setValueAtTime(LOUDNESS, at + length - 0.03);
    gain.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + length);
  }
}
