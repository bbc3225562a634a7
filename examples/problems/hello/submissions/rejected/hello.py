# @EXPECTED_RESULTS@: COMPILER-ERROR
# Does not compile: a quote is missing.
print("Hello World!)
