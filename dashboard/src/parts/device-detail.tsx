import { useMemo } from "preact/hooks";
import { useDevice, useHeardDays, useRefusals } from "../api/devices";
import type { DeviceDetailOut, DeviceStateOut, HeardDaysOut } from "../api/schema";
import { day as dayText, moment, NONE, number } from "../format";
import { dayAfter, dayOf } from "../model/days";
import { type At, href } from "../router";
import { isNamed, named, t } from "../words";
import { Chart, type Series } from "./chart";
import { DeviceFacts } from "./device-list";
import { Answered, useArrival } from "./states";
import { Table } from "./table";
import { Unfold } from "./unfold";

const DAYS = 30;

/** One device: how it is, what came of it day by day, what could not be read and why. */
export function DeviceDetail(props: {
  of: DeviceStateOut;
  at: At<"devices">;
  timezone: string | undefined;
  field: string;
}) {
  const { of, at } = props;
  const detail = useDevice(of.id);
  const heading = useArrival<HTMLHeadingElement>(of.id);
  const last = dayOf(of.heard_at === null ? Date.now() : Date.parse(of.heard_at), props.timezone);
  const days = useHeardDays(of.id, dayAfter(last, 1 - DAYS), dayAfter(last));
  return (
    <>
      <section class="card stack" aria-labelledby="device">
        <div class="row spread">
          <h2 id="device" ref={heading} tabIndex={-1}>
            {of.name}
          </h2>
          <a class="button" href={href({ ...at, device: null })}>
            {t("devices.close")}
          </a>
        </div>
        <p class="small quiet">
          {named("kind", of.kind)}, {props.field} · {t("devices.identity")}: {of.wire_id ?? of.id}
        </p>
        <DeviceFacts of={of} />
        {detail.value && <Credential of={detail.value} />}
      </section>
      <Answered of={days}>{(told) => <Days of={told} />}</Answered>
      <Refusals device={of.id} />
    </>
  );
}

function Credential({ of }: { of: DeviceDetailOut }) {
  const newest = [...of.credentials].sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
  const words =
    newest === undefined
      ? of.wire_id === null
        ? t("devices.credential_missing")
        : t("devices.credential_none")
      : newest.failure !== null
        ? t("devices.credential_failed", { reason: newest.failure })
        : newest.first_used_at !== null
          ? t("devices.credential_used", { time: moment(newest.first_used_at) })
          : t("devices.credential_unused");
  return (
    <p class="small">
      {t("devices.credential")}: {words}
    </p>
  );
}

function Days({ of }: { of: HeardDaysOut }) {
  const points = of.days.some((one) => one.points > 0);
  const count = (one: HeardDaysOut["days"][number]) => (points ? one.points : one.readings);
  const name = points ? t("devices.points") : t("devices.readings");
  const series = useMemo((): Series[] => {
    const expected = of.readings_a_day;
    return [
      { label: name, kind: "bars", colour: "--irrigation", values: of.days.map(count) },
      ...(expected !== null && !points
        ? [
            {
              label: t("devices.expected"),
              kind: "dashed",
              colour: "--alarm",
              values: of.days.map(() => expected),
            } as const,
          ]
        : []),
    ];
  }, [of, name, points]);
  const days = useMemo(() => of.days.map((one) => one.day), [of]);
  const [first, last] = [days[0], days.at(-1)];
  return (
    <>
      <Chart
        id="heard-days"
        title={t("devices.days")}
        unit={t("devices.per_day")}
        summary={t("devices.days_summary", {
          first: dayText(first),
          last: dayText(last, "year"),
          heard: of.days.filter((one) => count(one) > 0).length,
          days: days.length,
          readings: of.days.reduce((sum, one) => sum + count(one), 0),
        })}
        days={days}
        series={series}
        say={(value) => number(value)}
        height={180}
      />
      <Unfold title={t("devices.days_table")}>
        {() => (
          <Table
            label={t("devices.days_table")}
            rows={of.days.toReversed()}
            rowKey={(row) => row.day}
            columns={[
              { name: t("field.day"), cell: (row) => dayText(row.day) },
              { name, number: true, cell: (row) => number(count(row)) },
              {
                name: t("devices.expected"),
                number: true,
                cell: () => (points ? NONE : number(of.readings_a_day)),
              },
            ]}
          />
        )}
      </Unfold>
    </>
  );
}

function Refusals({ device }: { device: string }) {
  const refusals = useRefusals(device);
  return (
    <section class="card stack" aria-labelledby="refusals">
      <h2 id="refusals">{t("devices.rejected")}</h2>
      <Answered of={refusals}>
        {(found) =>
          found.length === 0 ? (
            <p class="quiet">{t("devices.no_refusals")}</p>
          ) : (
            <Table
              label={t("devices.rejected")}
              rows={found}
              rowKey={(row) => row.reason}
              columns={[
                {
                  name: t("devices.reason"),
                  cell: (row) => (
                    <span lang={isNamed("refusal", row.reason) ? undefined : "en"}>
                      {named("refusal", row.reason)}
                    </span>
                  ),
                },
                { name: t("devices.messages"), number: true, cell: (row) => number(row.messages) },
                {
                  name: t("devices.last"),
                  cell: (row) =>
                    row.last_at === null ? t("devices.only_counted") : moment(row.last_at),
                },
                {
                  name: t("devices.detail"),
                  cell: (row) => (
                    <span class="small" lang="en">
                      {row.detail ?? NONE}
                    </span>
                  ),
                },
                {
                  name: t("devices.payload"),
                  cell: (row) => (
                    <code>
                      {row.topic} {row.payload}
                    </code>
                  ),
                },
              ]}
            />
          )
        }
      </Answered>
    </section>
  );
}
