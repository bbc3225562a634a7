# Too slow: never gets to the greeting.
while True:
    pass
print("Hello World!")
