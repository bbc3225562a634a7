print("Goodbye World!")
