/** Russian words of a field. */

import type { field as english } from "../en/field";
import type { Words } from "../index";

export const field: Words<typeof english> = {
  "field.title": "Поле {name}",
  "field.depletion": "Дефицит влаги в корнеобитаемом слое",
  "field.of_raw": "из {raw} легкодоступной влаги",
  "field.refill_line": "Предполивной порог",
  "field.wilting": "Влажность завядания",
  "field.measured": "Измерено датчиками",
  "field.planned": "Ожидается без полива",
  "field.next": "Следующий полив",
  "field.reached": "Достижение порога",
  "field.reached_range": "{first} – {last}",
  "field.not_within": "не на этой неделе",
  "field.soil_water": "Влага почвы",
  "field.soil_water_help":
    "Сколько воды не хватает до наименьшей влагоёмкости в конце каждого дня. Ниже порога растения страдают.",
  "field.inputs": "Осадки и поливы",
  "field.rain": "Осадки",
  "field.irrigation": "Полив, вошло в почву",
  "field.et": "Эвапотранспирация",
  "field.etc": "ETc: без нехватки воды",
  "field.eta": "ETa: сколько позволила влага",
  "field.day": "День",
  "field.chart_failed": "График не загрузился. Его цифры — в таблице ниже.",
  "field.table": "Те же цифры таблицей",
  "field.season": "Сезон",
  "field.season_totals": "С начала сезона",
  "field.no_days": "Ни один день этого сезона ещё не рассчитан",
  "field.no_days_more":
    "Баланс рассчитывается каждую ночь, когда культура посеяна и измеряется погода.",
  "field.no_crop": "На {season} год культура не введена",
  "field.choose_crop": "Здесь росло несколько культур",
  "field.last_day": "Последний день баланса: {day}",
  "field.chart_summary":
    "С {first} по {last}; на {last} дефицит влаги {value}, предполивной порог {line}.",
  "field.applied": "Подано воды",
  "field.eta_total": "ETa",
  "field.etc_total": "ETc",
  "field.rain_total": "Осадки",
  "field.percolation": "Ушло ниже корней",
  "field.yield": "Урожайность",
  "field.productivity": "Урожай на м³ эвапотранспирации",
  "field.probes":
    "Датчики и модель расходятся на {rmse} (среднеквадратично) в {coverage} дней сезона",
  "field.planted": "Посев",
  "field.harvested": "Уборка",
};
