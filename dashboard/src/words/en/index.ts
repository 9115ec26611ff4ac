/** The English words; their keys and placeholders are what the other languages must have. */

import { devices } from "./devices";
import { farms } from "./farms";
import { field } from "./field";
import { frame } from "./frame";
import { machines } from "./machines";
import { names } from "./names";
import { region } from "./region";
import { savings } from "./savings";
import { today } from "./today";
import { yields } from "./yield";

export const en = {
  ...frame,
  ...farms,
  ...today,
  ...field,
  ...savings,
  ...machines,
  ...yields,
  ...devices,
  ...region,
  ...names,
} as const;
