/** The English words; their keys and placeholders are what the other languages must have. */
import { farms } from "./farms";
import { field } from "./field";
import { frame } from "./frame";
import { names } from "./names";
import { savings } from "./savings";
import { today } from "./today";

export const en = {
  ...frame,
  ...farms,
  ...today,
  ...field,
  ...savings,
  ...names,
} as const;
