import { expect, it } from "vitest";
import { nextCursor } from "./farm";

it("the next page is found in the header, or there is none", () => {
  expect(nextCursor('</v1/farms?limit=2&cursor=ab%3D>; rel="next"')).toBe("ab=");
  expect(nextCursor(null)).toBeUndefined();
  expect(nextCursor('</v1/farms>; rel="first"')).toBeUndefined();
});
