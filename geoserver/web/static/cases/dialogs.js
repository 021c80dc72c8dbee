/** The keys, and a photo in full. */

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";
import { base } from "../work/api.js";
import { keysOn, switchKeys } from "./keys.js";
import { actions } from "./state.js";
import { moment } from "./words.js";

const KEYS = [["j  ↓", "next"], ["k  ↑", "previous"], ["Enter", "open"], ["x", "choose"], ["1 … 9", "act"], ["Ctrl ⏎", "perform"], ["/", "find"], ["r", "refresh"], ["Esc", "back"], ["?", "help"]];

function useModal() {
  const dialog = useRef(null);
  useEffect(() => {
    dialog.current.showModal();
    return () => dialog.current?.close();
  }, []);
  return dialog;
}

export function Help() {
  const dialog = useModal();
  const [on, setOn] = useState(keysOn());
  const change = (event) => {
    switchKeys(event.target.checked);
    setOn(event.target.checked);
  };
  return html`
    <dialog ref=${dialog} aria-labelledby="help-title" onCancel=${() => actions.help(false)}>
      <div class="body">
        <h2 id="help-title">${t("help.title")}</h2>
        <dl class="keys">${KEYS.map(([key, name]) => html`<div key=${name}><dt><kbd>${key}</kbd></dt><dd>${t(`help.${name}`)}</dd></div>`)}</dl>
        <div class="choice"><label><input type="checkbox" checked=${on} onChange=${change} />${t("help.on")}</label></div>
        <div class="buttons"><button type="button" class="button main" autofocus onClick=${() => actions.help(false)}>${t("close")}</button></div>
      </div>
    </dialog>
  `;
}

export function PhotoDialog({ photo }) {
  const dialog = useModal();
  const about = [moment(photo.taken_at ?? photo.at), photo.actor, photo.offset !== null && t("photos.offset", { n: Math.round(photo.offset) })].filter(Boolean);
  return html`
    <dialog class="photo" ref=${dialog} aria-label=${t("photos")} onCancel=${() => actions.photo(null)}>
      <div class="body">
        <img src=${new URL(`photos/${photo.id}`, base).href} alt=${t("photos")} width=${photo.width} height=${photo.height} />
        <p class="small soft">${about.join(" · ")}</p>
        <div class="buttons"><button type="button" class="button main" autofocus onClick=${() => actions.photo(null)}>${t("close")}</button></div>
      </div>
    </dialog>
  `;
}
