import { useMemo } from "preact/hooks";
import { useFields, useSummary } from "../api/farm";
import type { CropZoneSummary } from "../api/schema";
import { depth, number, productivity, yieldRate } from "../format";
import { compared } from "../model/comparison";
import { href } from "../router";
import { named, t } from "../words";
import { Scroll } from "./scroll";

/** A crop's season beside the field's last one and the nearest fields of the crop. */
export function Comparison(props: {
  farm: string;
  season: number;
  own: CropZoneSummary;
  zones: readonly CropZoneSummary[];
}) {
  const { farm, season, own, zones } = props;
  const before = useSummary(farm, season - 1).value?.crop_zones;
  const fields = useFields(farm).value;
  const rows = useMemo(
    () => compared(own, season, zones, before ?? [], fields ?? []),
    [own, season, zones, before, fields],
  );
  if (rows.length < 2) return <p class="small quiet">{t("field.nothing_beside")}</p>;
  return (
    <section class="card stack" aria-labelledby="beside">
      <h2 id="beside">{t("field.beside")}</h2>
      <Scroll label={t("field.beside")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("fields.field")}</th>
              <th scope="col" class="number">
                {t("field.applied")}
              </th>
              <th scope="col" class="number">
                {t("field.rain_total")}
              </th>
              <th scope="col" class="number">
                {t("field.eta_total")}
              </th>
              <th scope="col" class="number">
                {t("field.yield")}
              </th>
              <th scope="col" class="number">
                {t("field.productivity")}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ zone, season: year, kind, distanceM }) => (
              <tr key={`${kind} ${zone.id}`} class={kind === "own" ? "chosen" : undefined}>
                <th scope="row">
                  {kind === "own" ? (
                    zone.field
                  ) : (
                    <a
                      href={href({
                        name: "field",
                        farm,
                        field: zone.field_id,
                        season: year,
                        crop_zone: zone.id,
                        day: null,
                      })}
                    >
                      {zone.field}
                    </a>
                  )}
                  <div class="small quiet">
                    {named("crop", zone.crop)}, {year}
                    {distanceM !== null && `, ${number(distanceM / 1000, 1)}\u00a0${t("unit.km")}`}
                  </div>
                </th>
                <td class="number">{depth(zone.water.applied_mm)}</td>
                <td class="number">{depth(zone.water.rain_mm)}</td>
                <td class="number">{depth(zone.water.eta_mm)}</td>
                <td class="number">{yieldRate(zone.yield.yield_kg_ha)}</td>
                <td class="number">{productivity(zone.water.water_productivity_kg_m3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
