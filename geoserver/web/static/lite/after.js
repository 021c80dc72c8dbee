// What folium does not write: the map's view goes with the form and the address, and found places say their names.
// Written for browsers of any age: no modules, no newer syntax.
"use strict";
(function () {
  var texts = document.currentScript.dataset;
  var map = window.map_lite;

  function say(selector, text) {
    var control = document.querySelector(selector);
    control.title = text;
    control.setAttribute("aria-label", text);
  }

  function keepView() {
    var middle = map.getCenter().wrap();
    var at = [middle.lng.toFixed(6), middle.lat.toFixed(6), map.getZoom()].join(",");
    document.querySelector("[data-at]").value = at;
    var address = new URL(location.href);
    address.searchParams.set("at", at);
    history.replaceState(null, "", address);
  }

  if (!map) {
    // Leaflet or folium's script is too new for this browser: the picture and its links serve here too.
    var place = document.getElementById("map_lite");
    place.hidden = true;
    place.insertAdjacentHTML("afterend", document.querySelector("[data-picture]").textContent);
    return;
  }
  map.attributionControl.setPrefix("Leaflet");
  L.control.scale({ imperial: false }).addTo(map);
  say(".leaflet-control-zoom-in", texts.zoomIn);
  say(".leaflet-control-zoom-out", texts.zoomOut);
  map.on("moveend", keepView);
  if (window.geo_json_found) {
    window.geo_json_found.eachLayer(function (place) {
      var name = document.createElement("span");
      name.textContent = place.feature.properties.name;
      place.bindTooltip(name, { permanent: false, direction: "top" });
    });
  }
  map.whenReady(function () {
    document.documentElement.dataset.ready = "true";
  });
})();
