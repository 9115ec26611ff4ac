/** Kazakh words of a field. */

import type { field as english } from "../en/field";
import type { Words } from "../index";

export const field: Words<typeof english> = {
  "field.title": "{name} танабы",
  "field.depletion": "Тамыр қабатындағы ылғал тапшылығы",
  "field.of_raw": "жеңіл қолжетімді ылғал — {raw}",
  "field.refill_line": "Суару шегі",
  "field.wilting": "Солу ылғалдылығы",
  "field.measured": "Датчиктер өлшегені",
  "field.planned": "Суарусыз күтілетіні",
  "field.next": "Келесі суару",
  "field.reached": "Суару шегіне жету",
  "field.reached_range": "{first} – {last}",
  "field.not_within": "бұл аптада емес",
  "field.soil_water": "Топырақ ылғалы",
  "field.soil_water_help":
    "Әр күннің соңында ең аз ылғал сыйымдылығына дейін қанша су жетпейтіні. Шектен төмен түссе, өсімдік зардап шегеді.",
  "field.inputs": "Жауын-шашын мен суару",
  "field.rain": "Жауын-шашын",
  "field.irrigation": "Суару, топыраққа сіңгені",
  "field.et": "Эвапотранспирация",
  "field.etc": "ETc: су тапшылығынсыз",
  "field.eta": "ETa: ылғал мүмкіндік бергенінше",
  "field.day": "Күн",
  "field.chart_failed": "График жүктелмеді. Оның цифрлары төмендегі кестеде.",
  "field.table": "Сол цифрлар кесте түрінде",
  "field.season": "Маусым",
  "field.season_totals": "Маусым басынан бері",
  "field.no_days": "Бұл маусымның бірде-бір күні әлі есептелмеген",
  "field.no_days_more": "Дақыл егіліп, ауа райы өлшене бастағанда баланс әр түнде есептеледі.",
  "field.no_crop": "{season} жылға дақыл енгізілмеген",
  "field.choose_crop": "Мұнда бірнеше дақыл өсті",
  "field.last_day": "Баланстың соңғы күні: {day}",
  "field.chart_summary":
    "{first} – {last}; {last} күні ылғал тапшылығы {value}, суару шегі {line}.",
  "field.applied": "Берілген су",
  "field.eta_total": "ETa",
  "field.etc_total": "ETc",
  "field.rain_total": "Жауын-шашын",
  "field.percolation": "Тамырдан төмен кеткені",
  "field.yield": "Түсім",
  "field.productivity": "Эвапотранспирацияның м³-іне өнім",
  "field.probes":
    "Датчик пен модель айырмасы {rmse} (орташа квадраттық), күндердің {coverage} өлшенген",
  "field.planted": "Егілген күні",
  "field.harvested": "Жинау",
};
