export class Emitter {
  #listeners = new Map();
  on(event, listener) {
    const list = this.#listeners.get(event) ?? [];
    this.#listeners.set(event, [...list, listener]);
    this.listens?.(event);
    return this.self ?? this;
  }
  addListener(event, listener) {
    return this.on(event, listener);
  }
  once(event, listener) {
    const wrapped = (...args) => {
      this.off(event, wrapped);
      listener.apply(this.self ?? this, args);
    };
    wrapped.listener = listener;
    return this.on(event, wrapped);
  }
  off(event, listener) {
    const list = this.#listeners.get(event) ?? [];
    this.#listeners.set(
      event,
      list.filter((one) => one !== listener && one.listener !== listener),
    );
    return this.self ?? this;
  }
  removeListener(event, listener) {
    return this.off(event, listener);
  }
  removeAllListeners(event) {
    if (event === undefined) this.#listeners.clear();
    else this.#listeners.delete(event);
    return this.self ?? this;
  }
  emit(event, ...args) {
    const list = this.#listeners.get(event) ?? [];
    for (const listener of list) listener.apply(this.self ?? this, args);
    return list.length > 0;
  }
  listenerCount(event) {
    return (this.#listeners.get(event) ?? []).length;
  }
}
