/** Patrol: positions of who is on duty, sent while the page is open and never otherwise. */

import { ask } from "../work/api.js";
import { follow } from "./position.js";

const EVERY = 15_000;
const MOST = 200;

/** Start a patrol; `told` gets { sent, kept, waiting, last, trouble } as it goes on. Returns how to stop it. */
export function patrol(told) {
  const waiting = [];
  let [sent, kept, last, trouble, awake] = [0, 0, null, null, null];
  const tell = () => told({ sent, kept, waiting: waiting.length, last, trouble });
  const unfollow = follow((fix) => {
    last = fix;
    trouble = null;
    waiting.push(asSent(fix));
    // Without a network for long, the oldest go: a trail, not a record.
    if (waiting.length > MOST) waiting.shift();
    tell();
    if (sent === 0) flush();
  }, (said) => {
    trouble = { cause: said };
    tell();
  });
  let busy = false;
  async function flush() {
    if (busy || waiting.length === 0) return;
    busy = true;
    const positions = waiting.slice(0, MOST);
    try {
      const answer = await ask("POST", "tracking/positions", { json: { positions } });
      waiting.splice(0, positions.length);
      sent += answer.received;
      kept += answer.kept;
      trouble = null;
    } catch (error) {
      trouble = { ...error.told, device: error.status === 401 };
    }
    busy = false;
    tell();
  }
  const timer = setInterval(flush, EVERY);
  navigator.wakeLock?.request("screen").then((lock) => { awake = lock; }, () => {});
  tell();
  return () => {
    clearInterval(timer);
    unfollow();
    awake?.release();
    flush();
  };
}

const asSent = ({ lon, lat, accuracy, time, speed, heading, altitude }) => ({
  time: new Date(time).toISOString(), lon, lat, accuracy,
  ...(Number.isFinite(speed) ? { speed: speed * 3.6 } : {}),
  ...(Number.isFinite(heading) ? { heading } : {}),
  ...(Number.isFinite(altitude) ? { altitude } : {}),
});
