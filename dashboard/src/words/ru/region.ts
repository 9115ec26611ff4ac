/** Russian words of regions and of the country. */

import type { region as english } from "../en/region";
import type { Words } from "../index";

export const region: Words<typeof english> = {
  "nav.region": "Область",
  "nav.country": "Страна",

  "region.country": "Казахстан",
  "region.season": "Сезон",
  "region.none": "Для этой области не введено ни одной культуры",
  "region.none_more": "Сезон появится, когда хозяйства введут, что выращивают.",
  "region.not_reported": "За {season} ещё ни одно хозяйство не отчиталось",
  "region.own": "По хозяйствам, которые вам видны; в области могут быть и другие.",
  "region.reporting": "Отчитались хозяйства",
  "region.of_registered": "из {count} зарегистрированных",
  "region.covered": "Охвачено гектаров",
  "region.irrigated": "из них орошается {area}",
  "region.devices": "Устройства на связи",
  "region.of_devices": "из {count}, за сутки",
  "region.applied": "Подано воды",
  "region.coverage": "Измерено дней",
  "region.saved_on": "на {area}, где известна базовая линия",
  "region.yields": "Урожайность",
  "region.crop": "Культура",
  "region.yield": "Урожайность",
  "region.harvested": "Убрано",
  "region.mass": "Масса",
  "region.no_yields": "Урожай этого сезона ещё неизвестен.",

  "region.ranking": "Экономия воды на гектар",
  "region.by": "Вид экономии",
  "region.by_real": "настоящая экономия",
  "region.by_apparent": "кажущаяся экономия",
  "region.ties":
    "Места, которые 95-процентные интервалы не разделяют, считаются равными: 1–3 значит — может быть и первым, и третьим.",
  "region.rank": "Место",
  "region.ranks": "{best}–{worst}",
  "region.place": "Название",
  "region.per_ha": "Сэкономлено",
  "region.interval": "от {low} до {high}",
  "region.no_interval": "интервала нет",
  "region.picture": "Интервал",
  "region.farms": "Хозяйства",
  "region.unranked": {
    one: "Без базовой линии, сравнить нельзя: {count}.",
    few: "Без базовой линии, сравнить нельзя: {count}.",
    many: "Без базовой линии, сравнить нельзя: {count}.",
    other: "Без базовой линии, сравнить нельзя: {count}.",
  },
  "region.districts": "Районы",
  "region.regions": "Области",
  "region.elsewhere": "Хозяйства без области",
  "region.as_table": "Таблицей (CSV)",
  "region.all": "Всё, что мне видно",
};
