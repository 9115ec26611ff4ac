import { useSignal } from "@preact/signals";
import { t } from "../words";

/** The first of many, and what shows the rest of them: a glance is not a list. */
export function useFirst<T>(many: readonly T[], count: number) {
  const all = useSignal(false);
  const shown = all.value ? many : many.slice(0, count);
  const rest = many.length - shown.length;
  const more = rest > 0 && (
    <button
      type="button"
      class="start-button"
      onClick={() => {
        all.value = true;
      }}
    >
      {t("app.more", { count: rest })}
    </button>
  );
  return { shown, more };
}
