# Wrong: greets nobody.
print("Hello!")
