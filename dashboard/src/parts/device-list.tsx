import { useUnknown } from "../api/devices";
import type { DeviceStateOut, UnknownOut } from "../api/schema";
import { mayDo } from "../api/session";
import { moment, NONE, number, percent, withUnit } from "../format";
import { byNeed, countsOf, type DeviceState, SIGNS, STATES } from "../model/device-states";
import { type At, href } from "../router";
import { named, t } from "../words";
import { type Fact, Facts } from "./facts";
import { Answered } from "./states";
import { Table } from "./table";

type Here = At<"devices">;

/** A state as sign, colour and word. */
export function StateMark({ state }: { state: DeviceState }) {
  return (
    <span class={`device-state ${state}`}>
      <span aria-hidden="true">{SIGNS[state]}</span> {t(`device.${state}`)}
    </span>
  );
}

function battery(of: DeviceStateOut): string {
  if (of.battery_level_pct !== null) return percent(of.battery_level_pct / 100);
  return withUnit(number(of.battery_voltage_v, 2), t("unit.v"));
}

function signal(of: DeviceStateOut): string {
  return withUnit(number(of.signal_dbm), t("unit.dbm"));
}

function heard(of: DeviceStateOut): string {
  return of.heard_at === null ? t("devices.never") : moment(of.heard_at);
}

function every(seconds: number | null): string {
  if (seconds === null) return NONE;
  return seconds < 120
    ? t("devices.seconds", { count: seconds })
    : t("devices.minutes", { count: Math.round(seconds / 60) });
}

/** How a device is, figure by figure. */
export function DeviceFacts({ of }: { of: DeviceStateOut }) {
  const facts: Fact[] = [
    [t("devices.heard"), heard(of)],
    [t("devices.interval"), every(of.interval_s)],
    [t("devices.battery"), battery(of), of.battery_at && moment(of.battery_at)],
    [t("devices.signal"), signal(of), of.signal_at && moment(of.signal_at)],
    [
      t("devices.missing"),
      number(of.missing_messages),
      of.missing_since && t("devices.since", { time: moment(of.missing_since) }),
    ],
    [t("devices.rejected"), number(of.rejected_messages), of.rejected_at && moment(of.rejected_at)],
  ];
  return (
    <>
      <StateMark state={of.state} />
      <Facts of={facts} />
    </>
  );
}

/** Devices with how each is; the filter by state says how many are in it. */
export function DeviceList(props: {
  at: Here;
  devices: readonly DeviceStateOut[];
  fieldName: (field: number | null) => string;
}) {
  const { at, devices } = props;
  const wanted = STATES.find((one) => one === at.state) ?? null;
  const rows = byNeed(devices).filter((one) => wanted === null || one.state === wanted);
  return (
    <section class="card stack" aria-labelledby="devices">
      <h2 id="devices">{t("devices.list")}</h2>
      <nav class="row chips" aria-label={t("devices.state")}>
        <a
          class="chip"
          href={href({ ...at, state: null })}
          aria-current={wanted === null ? "true" : undefined}
        >
          {t("devices.all")} {number(devices.length)}
        </a>
        {countsOf(devices).map(([state, count]) => (
          <a
            key={state}
            class="chip"
            href={href({ ...at, state })}
            aria-current={wanted === state ? "true" : undefined}
          >
            <StateMark state={state} /> {number(count)}
          </a>
        ))}
      </nav>
      {rows.length === 0 ? (
        <p>{t("devices.none_in_state")}</p>
      ) : (
        <Table
          label={t("devices.list")}
          rows={rows}
          rowKey={(row) => row.id}
          chosen={(row) => row.id === at.device}
          columns={[
            {
              name: t("devices.name"),
              cell: (row) => (
                <>
                  <a href={href({ ...at, device: row.id })}>{row.name}</a>
                  <div class="small quiet">
                    {named("kind", row.kind)}, {props.fieldName(row.field_id)}
                  </div>
                </>
              ),
            },
            { name: t("devices.state"), cell: (row) => <StateMark state={row.state} /> },
            { name: t("devices.heard"), cell: heard },
            { name: t("devices.battery"), number: true, cell: battery },
            { name: t("devices.signal"), number: true, cell: signal },
            {
              name: t("devices.missing"),
              number: true,
              cell: (row) => number(row.missing_messages),
            },
            {
              name: t("devices.rejected"),
              number: true,
              cell: (row) => number(row.rejected_messages),
            },
          ]}
        />
      )}
    </section>
  );
}

/** Who speaks without being registered; for who may see strangers. */
export function Strangers({ at }: { at: Here }) {
  const may = mayDo("admin:access");
  const unknown = useUnknown(may);
  if (!may) return null;
  return (
    <Answered of={unknown}>
      {(found) => (
        <section class="card stack" aria-labelledby="strangers">
          {found.length === 0 ? (
            <p id="strangers" class="quiet">
              {t("unknown.none")}
            </p>
          ) : (
            <Waiting at={at} found={found} />
          )}
        </section>
      )}
    </Answered>
  );
}

function Waiting({ at, found }: { at: Here; found: readonly UnknownOut[] }) {
  return (
    <>
      <h2 id="strangers">{t("unknown.title", { count: found.length })}</h2>
      <p class="small quiet">{t("unknown.more")}</p>
      <Table
        label={t("unknown.title", { count: found.length })}
        rows={found}
        rowKey={(row) => row.identity}
        columns={[
          {
            name: t("unknown.identity"),
            cell: (row) => (
              <>
                <code>{row.identity}</code>
                <div>
                  <a
                    class="button"
                    href={href({ name: "claim", farm: at.farm, identity: row.identity })}
                    aria-label={`${t("unknown.claim")}: ${row.identity}`}
                  >
                    {t("unknown.claim")}
                  </a>
                </div>
              </>
            ),
          },
          { name: t("devices.messages"), number: true, cell: (row) => number(row.messages) },
          { name: t("unknown.first"), cell: (row) => moment(row.first_seen_at) },
          { name: t("devices.last"), cell: (row) => moment(row.last_seen_at) },
          { name: t("unknown.topic"), cell: (row) => <code>{row.topic}</code> },
        ]}
      />
    </>
  );
}
