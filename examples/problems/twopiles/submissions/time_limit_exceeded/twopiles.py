# Too slow: counts through all subsets, like a binary counter, until one has the right weight.
n = int(input())
if n * (n + 1) // 2 % 2 != 0:
    print("impossible")
else:
    left = [False] * (n + 1)
    rest = n * (n + 1) // 4
    while rest != 0:
        i = 1
        while left[i]:
            left[i] = False
            rest += i
            i += 1
        left[i] = True
        rest -= i
    for side in (True, False):
        print(*(i for i in range(1, n + 1) if left[i] == side))
