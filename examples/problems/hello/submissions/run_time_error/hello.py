# Crashes: an exception that nobody catches.
print("Hello World!")
raise RuntimeError("no world to greet")
