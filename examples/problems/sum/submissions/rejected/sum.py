# @EXPECTED_RESULTS@: COMPILER-ERROR
# Does not compile: a parenthesis is never closed.
a, b = map(int, input().split()
print(a + b)
