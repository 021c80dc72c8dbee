/** The layer list: find, switch, order, fade, legend, go there. */

import { useState } from "preact/hooks";

import { html, icon, iconButton } from "./html.js";
import { t } from "./i18n.js";
import { grouped, matching, shownAbove } from "./layer_list.js";
import { LayerRow } from "./layer_row.js";

export function LayersPanel({ layers, actions, onClose }) {
  const [words, setWords] = useState("");
  const found = matching(layers, words);
  const shown = shownAbove(layers);
  return html`
    <section class="card panel layers" id="layers-panel" aria-label=${t("layers.title")}>
      <header class="panel-head">
        <h2>${t("layers.title")}</h2>
        ${iconButton({ name: "close", label: t("close"), onClick: onClose, className: "plain" })}
      </header>
      <div class="layer-search">
        ${icon("search")}
        <input id="layer-search" type="search" autocomplete="off" spellcheck="false" aria-label=${t("layers.search")} placeholder=${t("layers.search.hint")}
          value=${words} onInput=${(event) => setWords(event.target.value)} />
      </div>
      <div class="panel-body">
        ${!words && shown.length > 1 && html`<${Order} shown=${shown} actions=${actions} />`}
        ${grouped(found).map(([name, members]) => html`<${Group} key=${name} name=${name} members=${members} searching=${Boolean(words)} actions=${actions} />`)}
        ${found.length === 0 && html`<p class="hint" role="status">${t("layers.search.none", { words })}</p>`}
        ${!words && layers.every((layer) => layer.group === "base") && html`<p class="hint">${t("layers.none")}</p>`}
      </div>
    </section>
  `;
}

const titles = {
  thematic: t("group.thematic"),
  grid: t("group.grid"),
  planning: t("group.planning"),
  tracking: t("group.tracking"),
  pipes: t("group.pipes"),
  network: t("group.network"),
  relief: t("group.relief"),
  elsewhere: t("group.elsewhere"),
  base: t("group.base"),
};

function Group({ name, members, searching, actions }) {
  const on = members.filter((layer) => layer.visible).length;
  const [chosen, setChosen] = useState(null);
  const open = searching || (chosen ?? (on > 0 || name === "thematic"));
  return html`
    <h3 class="group">
      <button type="button" class="group-head" aria-expanded=${String(open)} aria-controls=${`group-${name}`} onClick=${() => setChosen(!open)}>
        ${icon("chevron")}<span>${titles[name]}</span>
        <span class="count" aria-label=${t("group.count", { on, all: members.length })}>${on}/${members.length}</span>
      </button>
    </h3>
    <ul class="layer-list" id=${`group-${name}`} aria-label=${titles[name]} hidden=${!open}>
      ${open && members.map((layer) => html`<${LayerRow} key=${layer.id} layer=${layer} actions=${actions} />`)}
    </ul>
  `;
}

/** What lies above what. */
function Order({ shown, actions }) {
  const button = (layer, n, step, name, label) =>
    iconButton({ name, label, className: "plain", disabled: !shown[n + step], onClick: () => actions.moveLayer(layer.id, step) });
  return html`
    <h3 id="layer-order">${t("layers.order")}</h3>
    <ol class="order" aria-labelledby="layer-order">
      ${shown.map((layer, n) => html`
        <li key=${layer.id} data-shown=${layer.id}>
          <span class="layer-title">${layer.title}</span>
          ${button(layer, n, -1, "up", t("layers.up", { title: layer.title }))}
          ${button(layer, n, 1, "down", t("layers.down", { title: layer.title }))}
          ${iconButton({ name: "close", label: t("layers.hide", { title: layer.title }), className: "plain", onClick: () => actions.showLayer(layer.id, false) })}
        </li>
      `)}
    </ol>
  `;
}
