/** Kazakh words of the choice of a farm and the first steps. */

import type { farms as english } from "../en/farms";
import type { Words } from "../index";

export const farms: Words<typeof english> = {
  "farms.title": "Шаруашылықтар",
  "farms.search": "Шаруашылықты табу",
  "farms.count": { one: "{count} шаруашылық", other: "{count} шаруашылық" },
  "farms.none_found": "Атауында «{text}» бар шаруашылық жоқ.",
  "farms.other_region": "Облыссыз",

  "start.title": "Төрт қадамнан бастаңыз",
  "start.lead": "Әлі бірде-бір шаруашылық енгізілмеген немесе тіркелгіңізге берілмеген.",
  "start.farm": "Шаруашылықты енгізіңіз",
  "start.farm_more":
    "Атауы мен орны. Мұны әкімші немесе оператор API арқылы не файлдан жүктеп енгізеді.",
  "start.fields": "Танаптарды сызыңыз немесе жүктеңіз",
  "start.fields_more":
    "Шекаралар GeoJSON, шейп-файл немесе терминал тапсырмаларынан алынады; кейін қай жерде қандай дақыл және қандай топырақ екенін енгізіңіз.",
  "start.devices": "Құрылғыларды қосыңыз",
  "start.devices_more":
    "Алдымен метеостансаны: ауа райынсыз ештеңе есептелмейді. Су есептегіштер мен топырақ датчиктері цифрларды өзіңіздікі етеді.",
  "start.look": "Ертең оралыңыз",
  "start.look_more": "Әр түнде әр танаптың ылғалы есептеледі, бұл бет не істеу керегін айтады.",
};
