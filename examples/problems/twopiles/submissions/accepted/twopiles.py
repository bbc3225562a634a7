n = int(input())
if n * (n + 1) // 2 % 2 != 0:
    print("impossible")
else:
    left = [False] * (n + 1)
    # Of four neighbours, the outer two weigh as much as the inner two; 1 + 2 = 3 is left over.
    for i in range(n, 3, -4):
        left[i] = left[i - 3] = True
    if n % 4 == 3:
        left[3] = True
    for side in (True, False):
        print(*(i for i in range(1, n + 1) if left[i] == side))
