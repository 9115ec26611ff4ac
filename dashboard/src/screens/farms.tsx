import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useFarms, useRegions } from "../api/farm";
import type { FarmOut, RegionOut } from "../api/schema";
import { areaFirst } from "../parts/navigation";
import { Answered, Empty, Loading, Title } from "../parts/states";
import { go, href } from "../router";
import { language, t } from "../words";

/** Where one comes to first: who looks at regions at theirs, everybody else at the farms. */
export function Home() {
  const area = areaFirst();
  useEffect(() => {
    if (area) go({ name: "region", region: area, season: null, by: null }, true);
  }, [area]);
  return area === null ? <Farms /> : <Loading />;
}

/** Which farm? Who has one goes there at once; who has none is told how to begin. */
export function Farms() {
  const farms = useFarms();
  const only = farms.value?.length === 1 ? farms.value[0] : undefined;
  useEffect(() => {
    if (only) go({ name: "today", farm: only.slug, day: null, field: null }, true);
  }, [only]);
  return (
    <Answered of={farms}>
      {(found) => (found.length === 0 ? <FirstSteps /> : <Choose farms={found} />)}
    </Answered>
  );
}

function Choose({ farms }: { farms: readonly FarmOut[] }) {
  const text = useSignal("");
  const regions = useRegions().value ?? [];
  const wanted = text.value.trim().toLocaleLowerCase();
  const found = farms.filter((farm) =>
    `${farm.name} ${farm.slug}`.toLocaleLowerCase().includes(wanted),
  );
  const groups = [...new Set(found.map((farm) => farm.region_code))].sort();
  return (
    <>
      <div class="head">
        <div>
          <Title title={t("farms.title")}>{t("farms.title")}</Title>
          <p class="quiet" role="status">
            {t("farms.count", { count: found.length })}
          </p>
        </div>
        <label>
          <span>{t("farms.search")}</span>
          <input
            type="search"
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
      </div>
      {found.length === 0 && <Empty title={t("farms.none_found", { text: text.value })} />}
      {groups.map((code) => (
        <section class="stack" key={code}>
          <h2>
            {code === null ? (
              t("farms.other_region")
            ) : (
              <a href={href({ name: "region", region: code, season: null, by: null })}>
                {regionName(regions, code)}
              </a>
            )}
          </h2>
          <ul class="farms">
            {found
              .filter((farm) => farm.region_code === code)
              .map((farm) => (
                <li key={farm.slug}>
                  <a href={href({ name: "today", farm: farm.slug, day: null, field: null })}>
                    {farm.name}
                  </a>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function regionName(regions: readonly RegionOut[], code: string): string {
  const region = regions.find((one) => one.code === code);
  return region?.[`name_${language.value}`] ?? code;
}

function FirstSteps() {
  return (
    <div class="card stack">
      <Title title={t("start.title")}>{t("start.title")}</Title>
      <p class="quiet">{t("start.lead")}</p>
      <ol class="steps">
        {(["farm", "fields", "devices", "look"] as const).map((step) => (
          <li key={step}>
            <h2>{t(`start.${step}`)}</h2>
            <p class="quiet">{t(`start.${step}_more`)}</p>
          </li>
        ))}
      </ol>
    </div>
  );
}
