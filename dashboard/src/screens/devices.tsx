import { useDeviceStates } from "../api/devices";
import { useFarm, useFields } from "../api/farm";
import { mayDo } from "../api/session";
import { AlertList } from "../parts/alert-list";
import { DeviceDetail } from "../parts/device-detail";
import { DeviceList, Strangers } from "../parts/device-list";
import { Head, ToFarm } from "../parts/head";
import { Answered, Empty } from "../parts/states";
import { type At, href } from "../router";
import { t } from "../words";

/** Which devices want somebody, what is wrong, and who speaks without being known. */
export function Devices({ at }: { at: At<"devices"> }) {
  const farm = useFarm(at.farm);
  const devices = useDeviceStates(at.farm);
  const fields = useFields(at.farm);
  const may = mayDo("write:devices");
  const fieldName = (field: number | null) =>
    fields.value?.find((one) => one.id === field)?.name ?? t("devices.whole_farm");
  const chosen = devices.value?.find((one) => one.id === at.device);
  const names = {
    device: (id: string) => devices.value?.find((one) => one.id === id)?.name ?? id,
    field: (id: number) => fields.value?.find((one) => one.id === id)?.name,
  };
  return (
    <>
      <Head
        up={<ToFarm farm={at.farm} name={farm.value?.name} />}
        title={t("devices.title")}
        under={
          devices.value && (
            <p class="quiet" role="status">
              {t("devices.count", { count: devices.value.length })}
            </p>
          )
        }
      >
        {may && (
          <a class="button primary" href={href({ name: "claim", farm: at.farm, identity: null })}>
            {t("devices.add")}
          </a>
        )}
      </Head>
      {chosen && (
        <DeviceDetail
          key={chosen.id}
          of={chosen}
          at={at}
          timezone={farm.value?.timezone}
          field={fieldName(chosen.field_id)}
        />
      )}
      <AlertList at={at} names={names} />
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
