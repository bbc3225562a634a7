# Crashes: writes beyond the end of the list.
n = int(input())
if n * (n + 1) // 2 % 2 != 0:
    print("impossible")
else:
    left = [False] * (n + 1)
    for i in range(n + 1, 0, -2):
        left[i] = True
    for side in (True, False):
        print(*(i for i in range(1, n + 1) if left[i] == side))
