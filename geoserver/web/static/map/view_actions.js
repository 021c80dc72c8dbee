/** What the tools at the edge do with the whole view. */

import { remember } from "./city.js";
import { t } from "./i18n.js";
import * as view from "./map.js";
import { loadStyle } from "./style.js";

export function viewActions(city) {
  return {
    centre: () => city.map.getCenter().wrap(),
    togglePanel: () => city.store.set({ panel: !city.store.get().panel }),
    toggleThreeD() {
      const threeD = !city.store.get().threeD;
      city.change({ threeD });
      city.restyle();
      view.tilt(city.map, threeD);
    },
    async toggleTheme() {
      const theme = city.store.get().theme === "dark" ? "light" : "dark";
      try {
        city.style = await loadStyle(theme);
      } catch (error) {
        return city.say(error.message);
      }
      document.documentElement.dataset.theme = theme;
      remember("citymap.theme", theme);
      const fresh = new Map(city.style.metadata["citymap:layers"].map((entry) => [entry.id, entry.legend]));
      const layers = city.store.get().layers.map((layer) => ({ ...layer, legend: (layer.kind === "vector" && fresh.get(layer.id)) || layer.legend }));
      city.store.set({ theme, layers });
      city.restyle();
    },
    changeLanguage(lang) {
      const url = new URL(location.href);
      url.searchParams.set("lang", lang);
      location.assign(url);
    },
    copyLink: () => copy(city, location.href, t("tools.link.done")),
    copyText: (text) => copy(city, text, t("copy.done")),
  };
}

async function copy(city, text, done) {
  try {
    await navigator.clipboard.writeText(text);
    city.say(done);
  } catch {
    // Plain http on a LAN address has no clipboard; the address bar holds the link to this view.
    city.say(text === location.href ? t("tools.link.manual") : t("copy.manual"));
  }
}
