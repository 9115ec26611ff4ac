/** Russian words of the choice of a farm and the first steps. */

import type { farms as english } from "../en/farms";
import type { Words } from "../index";

export const farms: Words<typeof english> = {
  "farms.title": "Хозяйства",
  "farms.search": "Найти хозяйство",
  "farms.count": {
    one: "{count} хозяйство",
    few: "{count} хозяйства",
    many: "{count} хозяйств",
    other: "{count} хозяйства",
  },
  "farms.none_found": "Нет хозяйства с «{text}» в названии.",
  "farms.other_region": "Без области",

  "start.title": "Начните с четырёх шагов",
  "start.lead": "Ещё не введено ни одного хозяйства, или вашей учётной записи не дано ни одного.",
  "start.farm": "Введите хозяйство",
  "start.farm_more":
    "Название и место. Это делает администратор или оператор — через API или загрузкой файла.",
  "start.fields": "Нарисуйте или загрузите поля",
  "start.fields_more":
    "Границы из GeoJSON, шейп-файла или заданий терминала; затем — где какая культура и какая почва.",
  "start.devices": "Подключите устройства",
  "start.devices_more":
    "Сначала метеостанцию: без погоды ничего не рассчитать. Со счётчиками воды и датчиками почвы цифры станут вашими.",
  "start.look": "Вернитесь завтра",
  "start.look_more":
    "Каждую ночь рассчитывается влага каждого поля, и эта страница скажет, что делать.",
};
