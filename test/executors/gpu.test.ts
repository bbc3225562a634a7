import { expect, test } from "vitest";
import { lacksGpu } from "../../src/executors/gpu.ts";

test.each([
  [undefined, /no gpu is configured/],
  [
    { devices: ["/dev/null", "/dev/docket-not-here"] },
    /^there is no \/dev\/docket-not-here on this machine$/,
  ],
  [{ devices: ["/dev/fd"] }, /^\/dev\/fd is no device$/],
  [{ devices: ["/dev/null"], probe: ["false"] }, /^its probe false fails: /],
  [
    { devices: ["/dev/null"], probe: ["docket-no-such-probe"] },
    /^its probe docket-no-such-probe fails: .*ENOENT/,
  ],
  [{ devices: ["/dev/null"], probe: ["sh", "-c", "echo the driver is too old >&2; exit 3"] }, /too old/],
])("a device is believed only when it is proved: %j", async (gpu, why) => {
  expect(await lacksGpu(gpu)).toMatch(why);
});

test("device files and a probe that ends well are proof", async () => {
  expect(await lacksGpu({ devices: ["/dev/null"] })).toBeUndefined();
  expect(
    await lacksGpu({ devices: ["/dev/null", "/dev/zero"], probe: ["test", "-c", "/dev/zero"] }),
  ).toBeUndefined();
});
