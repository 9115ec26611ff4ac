/** The Russian words, area by area. */
import type { Words } from "../index";
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

export const ru: Words = {
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
};
