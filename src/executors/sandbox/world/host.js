// What the child gives the world: its hooks. Taken away from the global object before the program is there.

export const host = Reflect.get(globalThis, "__host");
Reflect.deleteProperty(globalThis, "__host");

/** `members` under the name that a program knows them by; asking for others ends the isolate. */
export const offer = (name, members) =>
  new Proxy(members, {
    get(target, key) {
      if (typeof key === "symbol" || key in target || key === "then" || key === "toJSON") return target[key];
      return host.unsupported(`${name}.${key}`);
    },
  });

/** As `offer`, for an object with private fields: those belong to the object behind the proxy. */
export const guarded = (name, object) => {
  const proxy = new Proxy(object, {
    get(target, key) {
      const value = target[key];
      if (typeof value === "function") return value.bind(target);
      if (typeof key === "symbol" || key in target || key === "then" || key === "toJSON") return value;
      return host.unsupported(`${name}.${key}`);
    },
  });
  object.self = proxy;
  return proxy;
};
