/** Kazakh words of savings. */

import type { savings as english } from "../en/savings";
import type { Words } from "../index";

export const savings: Words<typeof english> = {
  "savings.title": "Үнемделген су",
  "savings.season": "{season} жылғы маусым",
  "savings.apparent": "Көрінетін үнем",
  "savings.apparent_more": "бұрынғы тәсіл алатын судан аз алынғаны",
  "savings.real": "Нақты үнем",
  "savings.real_more": "аз жұмсалған су; жерге қайтатын су есептелмейді",
  "savings.demonstrated": "Дәлелденді",
  "savings.not_demonstrated": "Дәлелденбеді",
  "savings.not_demonstrated_more":
    "Аралық нөлге жетеді: маусымда ештеңе үнемделмеген де болуы мүмкін.",
  "savings.more_used": "Бүкіл аралық нөлден төмен: су бұрынғы тәсілдегіден көп кетті.",
  "savings.demonstrated_more": "Нөлден екі стандартты қателіктен артық жоғары.",
  "savings.interval": "95 %: {low} … {high}",
  "savings.no_interval": "Аралық жоқ: бұрынғы бір ғана маусым белгілі",
  "savings.none": "Салыстыратын ештеңе жоқ",
  "savings.none_more":
    "Бұл маусымның базалық сызығы жоқ: тәлімі егіс немесе бұрын есептегішпен өлшенген маусым болмаған.",
  "savings.water": "Маусым суы",
  "savings.used": "Берілген су",
  "savings.baseline": "Бұрынғы тәсіл алар еді",
  "savings.baseline_of": "{area} алқапқа",
  "savings.recoverable": "Қайтатын судың өзгеруі",
  "savings.recoverable_more": "кәріз бен жерасты суына; оны басқалар пайдалана алады",
  "savings.coverage": "Өлшенген",
  "savings.coverage_days": "ауа райы — күндердің {weather}, есептегіштегі су — {water}",
  "savings.method": "Бұл қалай табылды",
  "savings.option": "IPMVP бойынша {option} нұсқасы, базалық сызық: {source}",
  "savings.source.metered seasons": "есептегішпен өлшенген маусымдар",
  "savings.source.balance counterfactual": "есептелген маусым (өлшенбеген)",
  "savings.uncertainty": "Аралық неден құралады",
  "savings.cause": "Себеп",
  "savings.cause_apparent": "Көрінетін",
  "savings.cause_real": "Нақты",
  "savings.by_field": "Танаптар бойынша",
  "savings.field": "Танап",
  "savings.raw": "Бастапқы деректер",
  "savings.as_table": "Кесте түрінде (CSV)",
  "savings.yield": "Түсім",
  "savings.harvested": "{area} алқаптан {mass}",
};
