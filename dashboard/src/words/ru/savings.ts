/** Russian words of savings. */

import type { savings as english } from "../en/savings";
import type { Words } from "../index";

export const savings: Words<typeof english> = {
  "savings.title": "Сэкономленная вода",
  "savings.season": "Сезон {season}",
  "savings.apparent": "Кажущаяся экономия",
  "savings.apparent_more": "взято меньше воды, чем взяла бы прежняя практика",
  "savings.real": "Настоящая экономия",
  "savings.real_more": "израсходовано меньше воды; то, что лишь возвращается в землю, не считается",
  "savings.demonstrated": "Доказана",
  "savings.not_demonstrated": "Не доказана",
  "savings.not_demonstrated_more":
    "Интервал доходит до нуля: возможно, за сезон ничего не сэкономлено.",
  "savings.more_used": "Весь интервал ниже нуля: воды ушло больше, чем при прежней практике.",
  "savings.demonstrated_more": "Больше двух стандартных ошибок над нулём.",
  "savings.interval": "95 %: от {low} до {high}",
  "savings.no_interval": "Интервала нет: известен лишь один прежний сезон",
  "savings.none": "Сравнить не с чем",
  "savings.none_more":
    "Для этого сезона нет базовой линии: богара или нет прежних сезонов со счётчиками.",
  "savings.water": "Вода сезона",
  "savings.used": "Подано воды",
  "savings.baseline": "Прежняя практика взяла бы",
  "savings.baseline_of": "на {area}",
  "savings.recoverable": "Изменение возвратного стока",
  "savings.recoverable_more": "в дрены и грунтовые воды, где его могут взять другие",
  "savings.coverage": "Измерено",
  "savings.coverage_days": "погода — {weather} дней, вода по счётчику — {water}",
  "savings.method": "Как это найдено",
  "savings.option": "Вариант {option} по IPMVP, базовая линия: {source}",
  "savings.source.metered seasons": "сезоны со счётчиками",
  "savings.source.balance counterfactual": "расчётный сезон (не измерен)",
  "savings.uncertainty": "Из чего складывается интервал",
  "savings.cause": "Причина",
  "savings.cause_apparent": "Кажущаяся",
  "savings.cause_real": "Настоящая",
  "savings.by_field": "По полям",
  "savings.field": "Поле",
  "savings.raw": "Исходные данные",
  "savings.as_table": "Таблицей (CSV)",
  "savings.yield": "Урожайность",
  "savings.harvested": "{mass} с {area}",
};
