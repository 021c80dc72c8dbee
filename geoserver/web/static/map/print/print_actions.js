/** The view on paper, as PDF, or as a picture file. */

import { t } from "../i18n.js";
import { pictureOf, scaleBar } from "./picture.js";

export function printActions(city) {
  const { store } = city;
  const close = () => {
    const { sheet } = store.get();
    if (sheet?.picture) URL.revokeObjectURL(sheet.picture);
    store.set({ sheet: null });
  };
  return {
    togglePrint: () => store.set({ printing: !store.get().printing }),
    /** Lay the sheet out, then open the browser's print dialogue, which also saves PDF. */
    async printMap(title) {
      try {
        const picture = URL.createObjectURL(await pictureOf(city.map));
        store.set({ sheet: { title, picture, scale: scaleBar(city.map), bearing: city.map.getBearing(), at: new Date() } });
      } catch {
        city.say(t("print.failed"));
      }
    },
    sheetReady() {
      addEventListener("afterprint", close, { once: true });
      print();
    },
    async savePicture(title) {
      try {
        const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await pictureOf(city.map)), download: `${title || "map"}.png` });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      } catch {
        city.say(t("print.failed"));
      }
    },
  };
}
