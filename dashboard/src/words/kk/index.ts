/** The Kazakh words, area by area. */
import type { Words } from "../index";
import { farms } from "./farms";
import { field } from "./field";
import { frame } from "./frame";
import { names } from "./names";
import { savings } from "./savings";
import { today } from "./today";

export const kk: Words = {
  ...frame,
  ...farms,
  ...today,
  ...field,
  ...savings,
  ...names,
};
