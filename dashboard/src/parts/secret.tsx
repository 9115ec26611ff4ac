import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { keepFile } from "../api/files";
import type { RegisteredOut } from "../api/schema";
import { t } from "../words";

type File = RegisteredOut["configuration"]["files"][number];

/** What a new device takes along. It is in this page alone: leaving it, it is gone. */
export function Secret(props: { of: RegisteredOut; devices: string; again: () => void }) {
  const { device, secret, configuration } = props.of;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  useEffect(() => {
    if (secret === null) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [secret]);
  return (
    <>
      <section class="card stack secret" aria-labelledby="added">
        <h2 id="added" ref={heading} tabIndex={-1}>
          {t("claim.done", { name: device.name })}
        </h2>
        {secret === null ? (
          <p>{t("claim.no_secret")}</p>
        ) : (
          <>
            <p class="warning" role="alert">
              <strong>{t("claim.once")}</strong>
            </p>
            <div class="pair">
              <dl class="stack">
                <Fact name={t("claim.broker")}>
                  {configuration.broker_url ?? t("claim.broker_unknown")}
                </Fact>
                <Fact name={t("claim.client_id")}>{secret.client_id}</Fact>
                <Fact name={t("claim.username")}>{secret.username}</Fact>
                <Fact name={t("claim.token")}>{secret.token}</Fact>
              </dl>
              {secret.qr_png !== null && (
                <figure class="stack">
                  <img class="qr" src={secret.qr_png} alt={t("claim.qr")} />
                  <figcaption class="small quiet">{t("claim.qr")}</figcaption>
                </figure>
              )}
            </div>
            <Copy text={secret.token} />
          </>
        )}
      </section>
      {configuration.files.length > 0 && (
        <section class="card stack" aria-labelledby="files">
          <h2 id="files">{t("claim.files")}</h2>
          <ul class="stack">
            {configuration.files.map((file) => (
              <li key={file.name} class="row spread">
                <span>
                  <strong>{file.name}</strong>
                  <span class="small quiet" lang="en">
                    {" "}
                    {file.about}
                  </span>
                </span>
                <Download of={file} device={device.id} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <p class="row">
        <a class="button" href={props.devices}>
          {t("claim.to_devices")}
        </a>
        <button type="button" onClick={props.again}>
          {t("claim.another")}
        </button>
      </p>
    </>
  );
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt class="small quiet">{name}</dt>
      <dd>
        <code class="copy">{children}</code>
      </dd>
    </div>
  );
}

function Copy({ text }: { text: string }) {
  const copied = useSignal(false);
  return (
    <p class="row">
      <button
        type="button"
        onClick={() => {
          // Where a browser gives no clipboard the token is there to be marked by hand.
          navigator.clipboard?.writeText(text).then(
            () => {
              copied.value = true;
            },
            () => {
              copied.value = false;
            },
          );
        }}
      >
        {t("claim.copy")}
      </button>
      <span role="status">{copied.value && t("claim.copied")}</span>
    </p>
  );
}

function Download({ of, device }: { of: File; device: string }) {
  return (
    <button
      type="button"
      onClick={() => keepFile(new Blob([of.text], { type: "text/plain" }), `${device}-${of.name}`)}
    >
      {t("claim.download", { name: of.name })}
    </button>
  );
}
