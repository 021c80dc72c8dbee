/** Where the phone is, and how well it knows, in plain words. */

import { t } from "../map/i18n.js";

/** Browsers tell positions to secure pages only. */
export const positionKnown = () => "geolocation" in navigator && window.isSecureContext;

const OPTIONS = { enableHighAccuracy: true, maximumAge: 5000, timeout: 30_000 };

/** Calls `found` with each position { lon, lat, accuracy [m], … }, `lost` with what is the matter; returns how to stop. */
export function follow(found, lost) {
  if (!positionKnown()) {
    lost(t("gps.insecure"));
    return () => {};
  }
  const watch = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => found({
      lon: coords.longitude, lat: coords.latitude, accuracy: Math.max(1, Math.round(coords.accuracy)), time: timestamp,
      speed: coords.speed, heading: coords.heading, altitude: coords.altitude,
    }),
    ({ code }) => lost(t(code === 1 ? "gps.denied" : code === 3 ? "gps.slow" : "gps.none")),
    OPTIONS,
  );
  return () => navigator.geolocation.clearWatch(watch);
}

/** How good a position is: `good` (10 m), `fair` (50 m) or `poor`, and what that means. */
export function inWords(accuracy) {
  const metres = accuracy < 1000 ? t("gps.metres", { n: accuracy }) : t("gps.kilometres", { n: Math.round(accuracy / 1000) });
  if (accuracy <= 15) return { grade: "good", said: t("gps.about", { metres }), advice: t("gps.good") };
  if (accuracy <= 50) return { grade: "wait", said: t("gps.about", { metres }), advice: t("gps.fair") };
  return { grade: "bad", said: t("gps.about", { metres }), advice: t("gps.poor") };
}
