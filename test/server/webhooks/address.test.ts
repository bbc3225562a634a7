import { describe, expect, it } from "vitest";
import { createAddresses, wrongRange } from "../../../src/server/webhooks/address.ts";

const PRIVATE = [
  "127.0.0.1",
  "127.9.9.9",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "224.0.0.1",
  "255.255.255.255",
  "::1",
  "::",
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:0:7f00:1::",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "ff02::1",
  "nonsense",
  "",
];
const PUBLIC = ["1.1.1.1", "172.32.0.1", "172.15.0.1", "8.8.8.8", "::ffff:1.1.1.1", "2606:4700:4700::1111"];

describe("addresses that webhooks may call", () => {
  it("are public ones", () => {
    const { isOpen, isNamed, anyNamed } = createAddresses([]);
    for (const address of PRIVATE) expect([address, isOpen(address)]).toEqual([address, false]);
    for (const address of PUBLIC) expect([address, isOpen(address)]).toEqual([address, true]);
    for (const address of PUBLIC) expect(isNamed(address)).toBe(false);
    expect(anyNamed).toBe(false);
  });

  it("and those that are named", () => {
    const { isOpen, isNamed } = createAddresses(["127.0.0.1", "10.1.0.0/16", "fd00::/8"]);
    for (const address of ["127.0.0.1", "10.1.255.1", "::ffff:10.1.0.1", "fd00::1"]) {
      expect([address, isOpen(address), isNamed(address)]).toEqual([address, true, true]);
    }
    for (const address of ["127.0.0.2", "10.2.0.1", "fc00::1"]) expect(isOpen(address)).toBe(false);
  });

  it("ranges are checked before", () => {
    for (const range of ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"])
      expect(wrongRange(range)).toBeUndefined();
    for (const range of ["localhost", "10.0.0.0/33", "10.0.0/8", "*"])
      expect(wrongRange(range)).toContain(range);
  });
});
