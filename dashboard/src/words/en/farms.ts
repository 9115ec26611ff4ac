/** English words of the choice of a farm and the first steps. */
export const farms = {
  "farms.title": "Farms",
  "farms.search": "Find a farm",
  "farms.count": { one: "{count} farm", other: "{count} farms" },
  "farms.none_found": "No farm has “{text}” in its name.",
  "farms.other_region": "Without a region",

  "start.title": "Begin in four steps",
  "start.lead": "No farm is entered yet, or none was given to your account.",
  "start.farm": "Enter your farm",
  "start.farm_more":
    "Its name and where it lies. An administrator or operator does this through the API, or imports it from a file.",
  "start.fields": "Draw or import its fields",
  "start.fields_more":
    "Boundaries as GeoJSON, shapefile or task data; then which crop grows where, and the soil.",
  "start.devices": "Connect devices",
  "start.devices_more":
    "A weather station first: without weather nothing can be computed. Meters and soil probes make the figures yours.",
  "start.look": "Come back tomorrow",
  "start.look_more":
    "Every night the water of each field is computed, and this page says what to do.",
} as const;
