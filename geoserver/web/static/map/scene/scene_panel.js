/** What stands around the full 3D view: its state, and buttons for what the mouse does. */

import { html, icon, iconButton } from "../html.js";
import { t } from "../i18n.js";
import { Trouble } from "../results_panel.js";

export function ScenePanel({ scene, layers, camera, actions }) {
  if (scene.phase === "loading") return html`<div class="centre"><div class="card scene-said" role="status"><span class="boot-mark" aria-hidden="true"></span>${t("scene.loading")}</div></div>`;
  if (scene.phase === "failed") {
    return html`
      <div class="centre"><div class="card lone">
        <${Trouble} error=${scene.error} onRetry=${() => actions.openScene(scene.place)} />
        <div class="row-buttons scene-back"><button type="button" class="ghost" onClick=${actions.closeScene}>${icon("layers")}${t("scene.flat")}</button></div>
      </div></div>
    `;
  }
  const credit = [...new Set(layers.filter((layer) => layer.visible && layer.credit).map((layer) => layer.credit))].join(" · ");
  const button = (name, label, act) => iconButton({ name, label, onClick: act });
  return html`
    <nav class="card scene-tools" aria-label=${t("scene.tools")}>
      ${button("plus", t("scene.in"), () => camera().approach(0.35))}
      ${button("minus", t("scene.out"), () => camera().approach(-0.5))}
      ${button("undo", t("scene.left"), () => camera().turn(20, 0))}
      ${button("redo", t("scene.right"), () => camera().turn(-20, 0))}
      ${button("up", t("scene.over"), () => camera().turn(0, 15))}
      ${button("down", t("scene.under"), () => camera().turn(0, -15))}
      ${button("compass", t("scene.north"), () => camera().faceNorth())}
    </nav>
    <p class="scene-credit">${credit ? `${credit} · CesiumJS` : "CesiumJS"}</p>
  `;
}
