/** Kazakh words of regions and of the country. */

import type { region as english } from "../en/region";
import type { Words } from "../index";

export const region: Words<typeof english> = {
  "nav.region": "Облыс",
  "nav.country": "Ел",

  "region.country": "Қазақстан",
  "region.season": "Маусым",
  "region.none": "Бұл облысқа бірде-бір дақыл енгізілмеген",
  "region.none_more": "Шаруашылықтар не өсіретінін енгізгенде маусым көрінеді.",
  "region.not_reported": "{season} жылға әлі бірде-бір шаруашылық есеп берген жоқ",
  "region.own": "Сізге көрінетін шаруашылықтар бойынша; облыста басқалары да болуы мүмкін.",
  "region.reporting": "Есеп берген шаруашылықтар",
  "region.of_registered": "тіркелгені: {count}",
  "region.covered": "Қамтылған гектар",
  "region.irrigated": "оның {area} суарылады",
  "region.devices": "Байланыстағы құрылғылар",
  "region.of_devices": "барлығы {count}, тәулік ішінде",
  "region.applied": "Берілген су",
  "region.coverage": "Өлшенген күндер",
  "region.saved_on": "базалық сызығы белгілі {area} алқапта",
  "region.yields": "Түсім",
  "region.crop": "Дақыл",
  "region.yield": "Түсім",
  "region.harvested": "Жиналғаны",
  "region.mass": "Салмағы",
  "region.no_yields": "Бұл маусымның егіні әлі белгісіз.",

  "region.ranking": "Гектарға үнемделген су",
  "region.by": "Үнем түрі",
  "region.by_real": "нақты үнем",
  "region.by_apparent": "көрінетін үнем",
  "region.ties":
    "95 % аралықтар ажыратпайтын орындар тең саналады: 1–3 дегені — бірінші де, үшінші де болуы мүмкін.",
  "region.rank": "Орны",
  "region.ranks": "{best}–{worst}",
  "region.place": "Атауы",
  "region.per_ha": "Үнемделгені",
  "region.interval": "{low} … {high}",
  "region.no_interval": "аралық жоқ",
  "region.picture": "Аралық",
  "region.farms": "Шаруашылықтар",
  "region.unranked": {
    one: "Базалық сызығы жоқ, салыстыруға болмайды: {count}.",
    other: "Базалық сызығы жоқ, салыстыруға болмайды: {count}.",
  },
  "region.districts": "Аудандар",
  "region.regions": "Облыстар",
  "region.elsewhere": "Облыссыз шаруашылықтар",
  "region.as_table": "Кесте түрінде (CSV)",
  "region.all": "Маған көрінетіннің бәрі",
};
