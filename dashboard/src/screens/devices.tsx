import { useDeviceStates } from "../api/devices";
import { useFarm, useFields } from "../api/farm";
import { who } from "../api/session";
import { AlertList } from "../parts/alert-list";
import { DeviceDetail } from "../parts/device-detail";
import { DeviceList, Strangers } from "../parts/device-list";
import { Answered, Empty, Title } from "../parts/states";
import { type At, href } from "../router";
import { t } from "../words";

/** Which devices want somebody, what is wrong, and who speaks without being known. */
export function Devices({ at }: { at: At<"devices"> }) {
  const farm = useFarm(at.farm);
  const devices = useDeviceStates(at.farm);
  const fields = useFields(at.farm);
  const may = who.value.state === "person" && who.value.session.scopes.includes("write:devices");
  const fieldName = (field: number | null) =>
    fields.value?.find((one) => one.id === field)?.name ?? t("devices.whole_farm");
  const chosen = devices.value?.find((one) => one.id === at.device);
  return (
    <>
      <div class="head">
        <div>
          <p class="small">
            <a href={href({ name: "today", farm: at.farm, day: null, field: null })}>
              {farm.value?.name ?? at.farm}
            </a>
          </p>
          <Title title={t("devices.title")}>{t("devices.title")}</Title>
          {devices.value && (
            <p class="quiet" role="status">
              {t("devices.count", { count: devices.value.length })}
            </p>
          )}
        </div>
        {may && (
          <a class="button primary" href={href({ name: "claim", farm: at.farm, identity: null })}>
            {t("devices.add")}
          </a>
        )}
      </div>
      {chosen && (
        <DeviceDetail
          key={chosen.id}
          of={chosen}
          at={at}
          timezone={farm.value?.timezone}
          field={fieldName(chosen.field_id)}
        />
      )}
      <AlertList at={at} />
      <Answered of={devices}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={t("devices.none")} more={t("devices.none_more")} />
          ) : (
            <DeviceList at={at} devices={found} fieldName={fieldName} />
          )
        }
      </Answered>
      <Strangers at={at} />
    </>
  );
}
