/** The sound of an alarm: two tones, made here, so that nothing is loaded. Browsers let it sound after a first click. */

const TONES = { grave: [880, 660, 880, 660], plain: [660, 880] };
const [LENGTH, LOUD] = [0.16, 0.18];
let context = null;

/** Let tones sound from now on; called from a click. */
export function wake() {
  context ??= new AudioContext();
  return context.resume();
}

/** Sound; `grave` is for emergencies. Returns whether it could. */
export function ring(grave) {
  if (context?.state !== "running") return false;
  TONES[grave ? "grave" : "plain"].forEach((pitch, n) => {
    const begin = context.currentTime + n * (LENGTH + 0.04);
    const [tone, loudness] = [context.createOscillator(), context.createGain()];
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, begin);
    loudness.gain.linearRampToValueAtTime(LOUD, begin + 0.02);
    loudness.gain.linearRampToValueAtTime(0, begin + LENGTH);
    tone.connect(loudness).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + LENGTH);
  });
  return true;
}
