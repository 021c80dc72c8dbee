/** How something that went wrong is shown: cause, cure, the request's number, and what to do. */

import { html } from "../map/html.js";
import { t } from "../map/i18n.js";

export const Trouble = ({ error, children, onRetry }) => html`
  <div class="notice bad" role="alert">
    <strong>${error.cause ?? error.message}</strong>
    ${error.cure && html`<span>${error.cure}</span>`}
    ${error.requestId && html`<span class="small soft">${t("error.request", { id: error.requestId })}</span>`}
    ${(children || onRetry) && html`<div class="row">
      ${onRetry && html`<button type="button" class="button" onClick=${onRetry}>${t("retry")}</button>`}${children}
    </div>`}
  </div>
`;
