import { BlockList, isIP } from "node:net";

/**
 * Where webhooks may not lead: to this machine, its networks and whatever else is not the public internet. Source: the
 * IANA special-purpose address registries.
 */
const CLOSED = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Only 2000::/3 is public; of that the ones that carry an IPv4 address, or none that is routed.
  "::/3",
  "4000::/2",
  "8000::/1",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
] as const;

/** Says where deliveries may go. */
export interface Addresses {
  /** May a connection to this address be made? */
  readonly isOpen: (address: string) => boolean;
  /** Was this address named as allowed? Then plain http may go there, too. */
  readonly isNamed: (address: string) => boolean;
  /** Is anything named? */
  readonly anyNamed: boolean;
}

/** One list for each family: in a common one an IPv4 address would be within the range of those that map it. */
type Lists = Readonly<Record<"ipv4" | "ipv6", BlockList>>;

function listsOf(ranges: readonly string[]): Lists {
  const lists: Lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const type = isIP(address) === 6 ? "ipv6" : "ipv4";
    lists[type].addSubnet(address, bits === undefined ? (type === "ipv6" ? 128 : 32) : Number(bits), type);
  }
  return lists;
}

/** An IPv4 address in IPv6's clothes is what it is. */
const bare = (address: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;

/** `allowed`: addresses and ranges such as 127.0.0.1 or 10.1.0.0/16. */
export function createAddresses(allowed: readonly string[]): Addresses {
  const closed = listsOf(CLOSED);
  const named = listsOf(allowed);
  const within = (lists: Lists, given: string): boolean => {
    const address = bare(given);
    const version = isIP(address);
    if (version === 0) return false;
    const type = version === 6 ? "ipv6" : "ipv4";
    return lists[type].check(address, type);
  };
  const isNamed = (address: string): boolean => within(named, address);
  return {
    isNamed,
    isOpen: (address) => isIP(bare(address)) !== 0 && (isNamed(address) || !within(closed, address)),
    anyNamed: allowed.length > 0,
  };
}

/** What is wrong with a range, in words; undefined when it is one. */
export function wrongRange(range: string): string | undefined {
  try {
    listsOf([range]);
    return undefined;
  } catch {
    return `${JSON.stringify(range)} is no address or range: expected e.g. 127.0.0.1 or 10.1.0.0/16`;
  }
}
