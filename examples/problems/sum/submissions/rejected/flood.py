# @EXPECTED_RESULTS@: OUTPUT-LIMIT
# Prints without an end.
while True:
    print("0123456789" * 100)
