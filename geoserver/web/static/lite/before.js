// Shows the place of the map before Leaflet measures it; without scripts a picture stands there.
"use strict";
document.getElementById("map_lite").hidden = false;
