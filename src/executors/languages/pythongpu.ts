import type { LanguageDefinition } from "./language.ts";
import { python, PYTHON_SELF_TEST } from "./python.ts";

/** Python 3 with the pool's device. What drives the device (CUDA and such) is the machine's, below /usr. */
export const pythonGpu: LanguageDefinition = {
  ...python,
  id: "python-gpu",
  // Drivers and their libraries start threads of their own, and map much.
  processes: 128,
  memoryBaseMiB: 512,
  /** Each device opens in here, too. */
  selfTest: `import os
for path in os.environ["DOCKET_GPU_DEVICES"].split(","):
    os.close(os.open(path, os.O_RDWR))
${PYTHON_SELF_TEST}`,
};
