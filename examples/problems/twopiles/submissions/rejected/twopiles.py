# @EXPECTED_RESULTS@: COMPILER-ERROR
# Does not compile: the body of the loop is not indented.
n = int(input())
if n * (n + 1) // 2 % 2 != 0:
    print("impossible")
else:
    left = [False] * (n + 1)
    for i in range(1, n + 1, 2):
    left[i] = True
    for side in (True, False):
        print(*(i for i in range(1, n + 1) if left[i] == side))
